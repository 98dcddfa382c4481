// Places: world coordinates are DICOM patient coordinates (LPS) in mm.

export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const subtract = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const distance = (a, b) => Math.hypot(...subtract(a, b));

/** Unit vector along the stack, from ImageOrientationPatient. */
export const normal = ([a, b, c, d, e, f]) => [b * f - c * e, c * d - a * f, a * e - b * d];

/** Index of the slice whose height along the normal is nearest. */
export function nearest(heights, height) {
  let best = 0;
  heights.forEach((h, k) => { if (Math.abs(h - height) < Math.abs(heights[best] - height)) best = k; });
  return best;
}
