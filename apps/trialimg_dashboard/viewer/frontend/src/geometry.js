// Places: world coordinates are DICOM patient coordinates (LPS) in mm.

export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const subtract = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const plus = (a, b, times = 1) => [a[0] + times * b[0], a[1] + times * b[1], a[2] + times * b[2]];
export const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
export const determinant = (a, b, c) => dot(a, cross(b, c));
export const distance = (a, b) => Math.hypot(...subtract(a, b));

/** Unit vector along the stack, from ImageOrientationPatient. */
export const normal = (o) => cross(o.slice(0, 3), o.slice(3));

/** Index of the slice whose height along the normal is nearest. */
export function nearest(heights, height) {
  let best = 0;
  heights.forEach((h, k) => { if (Math.abs(h - height) < Math.abs(heights[best] - height)) best = k; });
  return best;
}
