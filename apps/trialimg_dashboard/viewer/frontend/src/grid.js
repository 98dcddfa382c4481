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
  const out = new Float32Array(width * height).fill(NaN);
  const [columns, rows, count] = grid.size;
  const [[i0, j0, k0], [ix, jx, kx], [iy, jy, ky]] = [grid.toIndex(origin), grid.turned(right), grid.turned(down)];
  const least = -0.5 - CLOSE;
  const [mostI, mostJ, mostK] = grid.size.map((n) => n - 0.5 + CLOSE);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const i = i0 + x * ix + y * iy;
      const j = j0 + x * jx + y * jy;
      const k = k0 + x * kx + y * ky;
      if (i <= least || j <= least || k <= least || i >= mostI || j >= mostJ || k >= mostK) continue;
      const [left, top, under] = [floor(i, columns), floor(j, rows), floor(k, count)];
      const [f, g, h] = [part(i - left), part(j - top), part(k - under)];
      const here = slices[under];
      const next = h === 0 ? here : slices[under + 1];
      if (!here || !next) continue;
      const p = top * columns + left;
      const q = top + 1 < rows ? p + columns : p;
      const r = left + 1 < columns ? 1 : 0;
      const lower = (here[p] * (1 - f) + here[p + r] * f) * (1 - g) + (here[q] * (1 - f) + here[q + r] * f) * g;
      out[at] = h === 0 ? lower
        : lower * (1 - h) + ((next[p] * (1 - f) + next[p + r] * f) * (1 - g) + (next[q] * (1 - f) + next[q + r] * f) * g) * h;
    }
  }
  return out;
}

/** The voxel before a place along an axis of n voxels, such that there is one behind it. */
const floor = (x, n) => (x < 0 ? 0 : Math.max(Math.min(Math.floor(x), n - 2), 0));

const part = (x) => (x < 0 ? 0 : Math.min(x, 1));

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
