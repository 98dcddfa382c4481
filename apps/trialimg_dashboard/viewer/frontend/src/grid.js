// A stack as one grid of voxels: where a place lies in it, and what any plane through it looks like. The slices stay
// where Cornerstone keeps them: nothing is copied, and no graphics hardware is needed.
import { cross, determinant, distance, subtract } from './geometry.js';

const EVEN_MM = 0.05; // how far a slice may lie off its place in an even stack
const CLOSE = 1e-3; // of a voxel: rounding puts a place no further outside than this

export class Grid {
  constructor({ shape: [count, rows, columns], orientation: o, pixel_spacing: [betweenRows, betweenColumns], positions }) {
    const [first, last] = [positions[0], positions[count - 1]];
    this.size = [columns, rows, count];
    this.origin = first;
    this.axes = [
      o.slice(0, 3).map((x) => x * betweenColumns),
      o.slice(3).map((x) => x * betweenRows),
      subtract(last, first).map((x) => x / Math.max(count - 1, 1)),
    ];
    const [a, b, c] = this.axes;
    const volume = determinant(a, b, c);
    this.inverse = [cross(b, c), cross(c, a), cross(a, b)].map((row) => row.map((x) => x / volume));
    this.isEven = count > 1 && positions.every((p, k) => distance(p, this.toWorld([0, 0, k])) < EVEN_MM);
  }

  toWorld([i, j, k]) { return this.origin.map((x, n) => x + i * this.axes[0][n] + j * this.axes[1][n] + k * this.axes[2][n]); }

  turned(vector) { return this.inverse.map((row) => row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2]); }

  toIndex(point) { return this.turned(subtract(point, this.origin)); }

  get centre() { return this.toWorld(this.size.map((n) => (n - 1) / 2)); }

  /** Millimetres along a direction after which the next voxel begins. */
  stepAlong(direction) { return 1 / Math.max(...this.turned(direction).map(Math.abs)); }
}

/**
 * Values on a plane, trilinear between voxel centres, NaN outside of the outermost voxels or where a slice is missing.
 *
 * @param slices one array of pixels per slice; undefined where it is not there yet
 * @param plane world place of the first pixel's centre, world steps to the next pixel right and down, size in pixels
 */
export function reslice(grid, slices, { origin, right, down, width, height }) {
  const out = new Float32Array(width * height);
  const [columns, rows, count] = grid.size;
  const [start, across, along] = [grid.toIndex(origin), grid.turned(right), grid.turned(down)];
  const inside = (x, n) => x > -0.5 - CLOSE && x < n - 0.5 + CLOSE;
  const low = (x, n) => Math.min(Math.max(Math.floor(x), 0), Math.max(n - 2, 0));
  const part = (x, lower) => Math.min(Math.max(x - lower, 0), 1);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const i = start[0] + x * across[0] + y * along[0];
      const j = start[1] + x * across[1] + y * along[1];
      const k = start[2] + x * across[2] + y * along[2];
      out[at] = NaN;
      if (!inside(i, columns) || !inside(j, rows) || !inside(k, count)) continue;
      const [i0, j0, k0] = [low(i, columns), low(j, rows), low(k, count)];
      const [f, g, h] = [part(i, i0), part(j, j0), part(k, k0)];
      const here = slices[k0];
      const next = h === 0 ? here : slices[k0 + 1];
      if (!here || !next) continue;
      const p = j0 * columns + i0;
      const q = j0 + 1 < rows ? p + columns : p;
      const r = i0 + 1 < columns ? 1 : 0;
      const flat = (s) => (s[p] * (1 - f) + s[p + r] * f) * (1 - g) + (s[q] * (1 - f) + s[q + r] * f) * g;
      out[at] = h === 0 ? flat(here) : flat(here) * (1 - h) + flat(next) * h;
    }
  }
  return out;
}

/** Grey as the stack shows it: black below the window, white above; what is not there is black. */
export function grey(values, { lower, upper, invert }, image) {
  const scale = 255 / Math.max(upper - lower, Number.EPSILON);
  const pixels = new Uint32Array(image.data.buffer);
  for (let n = 0; n < values.length; n++) {
    const shade = Math.min(Math.max((values[n] - lower) * scale, 0), 255) | 0; // NaN | 0 is 0
    const level = invert && !Number.isNaN(values[n]) ? 255 - shade : shade;
    pixels[n] = 0xff000000 | (level << 16) | (level << 8) | level;
  }
}

const CLEAR = 255 * 0.1; // up to a tenth of the window is what all tissue takes up: the anatomy shows through
const FULL = 255 * 0.4; // from here on the colour is as strong as the reader wants it

/** Hot Iron (DICOM PS3.6 Annex B): red, then yellow, then white; clear where nothing is taken up. */
export function hotIron(values, { upper }, image) {
  const pixels = new Uint32Array(image.data.buffer);
  for (let n = 0; n < values.length; n++) {
    const level = Math.min(Math.max((values[n] / upper) * 255, 0), 255) | 0;
    const red = Math.min(level * 2, 255);
    const green = Math.min(Math.max(level * 2 - 256, 0), 255);
    const blue = Math.min(Math.max(level * 4 - 768, 0), 255);
    const strength = Math.min(Math.max(((level - CLEAR) / (FULL - CLEAR)) * 255, 0), 255) | 0;
    pixels[n] = (strength << 24) | (blue << 16) | (green << 8) | red;
  }
}

/** Where a closed line of one slice meets a plane: itself where it lies in it, else the pieces that are inside. */
export function cut(points, { point, normal, thickness }) {
  const away = points.map((p) => (p[0] - point[0]) * normal[0] + (p[1] - point[1]) * normal[1] + (p[2] - point[2]) * normal[2]);
  const [least, most] = [Math.min(...away), Math.max(...away)];
  if (most - least < EVEN_MM) return least >= -thickness / 2 && least < thickness / 2 ? [points] : [];
  const crossings = [];
  points.forEach((from, n) => {
    const m = (n + 1) % points.length;
    if ((away[n] < 0) === (away[m] < 0)) return;
    const t = away[n] / (away[n] - away[m]);
    crossings.push(from.map((x, axis) => x + t * (points[m][axis] - x)));
  });
  if (crossings.length < 2) return [];
  const ends = [0, 1, 2].map((axis) => Math.max(...crossings.map((c) => c[axis])) - Math.min(...crossings.map((c) => c[axis])));
  const widest = ends.indexOf(Math.max(...ends));
  crossings.sort((a, b) => a[widest] - b[widest]);
  return Array.from({ length: crossings.length >> 1 }, (_, n) => crossings.slice(2 * n, 2 * n + 2));
}
