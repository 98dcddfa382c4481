// Slices from the pixel route to Cornerstone. A pane has images of its own, even where two panes show one series:
// what is drawn in one must not appear in the other.
import { cache, getShouldUseCPURendering, utilities } from '@cornerstonejs/core';

const PANES = new Map(); // pane key -> { base, token, geometry }
const AHEAD = new Map(); // address of a slice of the next case -> its bytes, on their way or here
const AT_ONCE = 6; // requests under way

export const imageIds = (key, count) => Array.from({ length: count }, (_, k) => `trialimg:${key}/${k}`);

export function parse(imageId) {
  const match = typeof imageId === 'string' && /^trialimg:(.+)\/(\d+)$/.exec(imageId);
  return match ? { key: match[1], slice: Number(match[2]) } : null;
}

async function get({ base, token, beside }, path) { // a token is good for every series of its case
  const response = await fetch(`${base}/${path}`, {
    headers: { Authorization: `Bearer ${beside ? PANES.get(beside)?.token : token}` }, credentials: 'same-origin', cache: 'no-store',
  });
  if (!response.ok) throw Object.assign(new Error(`${path}: HTTP ${response.status}`), { isExpired: response.status === 401 });
  return response;
}

/** The geometry of a series; `beside` names the pane whose token serves it too. */
export async function open(key, { base, token, beside }) {
  const source = { base, token, beside };
  PANES.set(key, source);
  source.geometry = await (await get(source, 'geometry')).json();
  return source.geometry;
}

export const close = (key) => PANES.delete(key);

/** Pixels of each slice, where they are here; they stay where Cornerstone keeps them. */
export const pixels = (ids) => ids.map((id) => cache.getImage(id)?.getPixelData());

/** Forget slices: no pixel of a case stays behind its pane. */
export const drop = (ids = []) => ids.filter((id) => cache.getImageLoadObject(id)).forEach((id) => cache.removeImageLoadObject(id, { force: true }));

/**
 * Fetch a few slices of the next case before it is opened. One case at a time, and no longer than its token lasts.
 * That they were sent is in the audit trail; that they were opened only once they are shown.
 */
export function fetchAhead({ base, token, slices, seconds }) {
  AHEAD.clear();
  for (const slice of slices) {
    const path = `slice/${slice}`;
    AHEAD.set(`${base}/${path}`, get({ base, token }, path).then((answer) => answer.arrayBuffer()).catch(() => null));
  }
  setTimeout(() => AHEAD.clear(), seconds * 1000);
}

async function bytes(source, path) {
  const address = `${source.base}/${path}`;
  const waiting = AHEAD.get(address);
  AHEAD.delete(address);
  return (await waiting) ?? (await get(source, path)).arrayBuffer();
}

export function renew(key, token) {
  const source = PANES.get(key);
  if (source) source.token = token;
}

/** A fresh token for the one in hand, while the reader still has the case. */
export async function refresh(key) {
  const source = PANES.get(key);
  if (source) source.token = (await (await get(source, 'token')).json()).token;
}

// Cornerstone's CPU path takes the image position, in DICOM the centre of the first pixel, for that pixel's corner.
// Given the corner, its world coordinates are right there too.
function firstPixel({ positions, pixel_spacing: [rowSpacing, columnSpacing], orientation: o }, slice) {
  if (!getShouldUseCPURendering()) return positions[slice];
  return positions[slice].map((x, i) => x - (o[i] * columnSpacing + o[i + 3] * rowSpacing) / 2);
}

async function load(imageId) {
  const { key, slice } = parse(imageId);
  const source = PANES.get(key);
  if (!source) throw new Error('the images were closed');
  const { geometry } = source;
  const [, height, width] = geometry.shape;
  const [rowPixelSpacing, columnPixelSpacing] = geometry.pixel_spacing;
  const pixels = new Int16Array(await bytes(source, `slice/${slice}`));
  if (pixels.length !== width * height) throw new Error(`slice ${slice}: ${pixels.length} pixels, expected ${width * height}`);
  let minPixelValue = Infinity;
  let maxPixelValue = -Infinity;
  for (const x of pixels) {
    if (x < minPixelValue) minPixelValue = x;
    if (x > maxPixelValue) maxPixelValue = x;
  }
  const voxelManager = utilities.VoxelManager.createImageVoxelManager({ scalarData: pixels, width, height, numberOfComponents: 1 });
  return {
    imageId, minPixelValue, maxPixelValue, rows: height, columns: width, height, width, rowPixelSpacing, columnPixelSpacing,
    voxelManager, getPixelData: () => voxelManager.getScalarData(), sizeInBytes: pixels.byteLength, dataType: 'Int16Array',
    slope: 1, intercept: 0, windowCenter: 40, windowWidth: 400, voiLUTFunction: 'LINEAR', invert: false,
    color: false, rgba: false, numberOfComponents: 1, photometricInterpretation: 'MONOCHROME2',
  };
}

export const loader = (imageId) => ({ promise: load(imageId) });

export function metadata(type, imageId) {
  const place = parse(imageId);
  const geometry = place && PANES.get(place.key)?.geometry;
  if (!geometry) return undefined;
  const [, rows, columns] = geometry.shape;
  const [rowPixelSpacing, columnPixelSpacing] = geometry.pixel_spacing;
  const iop = geometry.orientation;
  return {
    imagePlaneModule: {
      frameOfReferenceUID: place.key, rows, columns, rowPixelSpacing, columnPixelSpacing, pixelSpacing: geometry.pixel_spacing,
      imageOrientationPatient: iop, rowCosines: iop.slice(0, 3), columnCosines: iop.slice(3),
      imagePositionPatient: firstPixel(geometry, place.slice), usingDefaultValues: false,
    },
    imagePixelModule: {
      rows, columns, samplesPerPixel: 1, photometricInterpretation: 'MONOCHROME2',
      bitsAllocated: 16, bitsStored: 16, highBit: 15, pixelRepresentation: 1,
    },
    generalSeriesModule: { modality: geometry.modality, seriesInstanceUID: place.key },
    modalityLutModule: { rescaleIntercept: 0, rescaleSlope: 1 }, // the numbers are shown in stored steps; `step` says how large one is
  }[type];
}

/** Fetches a pane's slices, those nearest to the shown one first; calls back with how many are there. */
export async function prefetch(ids, at, loadOne, arrived) {
  const queue = ids.map((_, k) => k).sort((a, b) => Math.abs(b - at) - Math.abs(a - at));
  let loaded = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (queue.length) {
      await loadOne(ids[queue.pop()]);
      if (!arrived(++loaded)) return;
    }
  }));
}
