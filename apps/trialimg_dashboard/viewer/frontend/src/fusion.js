// Uptake (PET) in colour over the anatomy of the same visit, resampled to what the pane shows.
import { imageLoader } from '@cornerstonejs/core';
import * as images from './images.js';
import { Grid, hotIron, reslice } from './grid.js';
import { subtract } from './geometry.js';

export const UPTAKES = [['suv5', 5], ['suv10', 10], ['suv20', 20]]; // upper end of the colours, in the image's unit

export class Fusion {
  constructor(pane) {
    Object.assign(this, { pane, key: `${pane.key}/fused` });
    this.canvas = document.createElement('canvas');
    this.canvas.className = 'ti-fused';
    pane.view.querySelector('.cornerstone-canvas').after(this.canvas); // below whatever is drawn on the image
  }

  async open() {
    const geometry = await images.open(this.key, { base: this.pane.given.fused, beside: this.pane.key });
    this.grid = new Grid(geometry);
    this.step = geometry.step;
    this.ids = images.imageIds(this.key, geometry.shape[0]);
    const middle = this.grid.toIndex(this.pane.viewport.canvasToWorld([this.pane.view.clientWidth / 2, this.pane.view.clientHeight / 2]));
    await images.prefetch(this.ids, middle[2], (id) => imageLoader.loadAndCacheImage(id), (loaded) => {
      this.pane.frame.dataset.fused = loaded;
      return !this.closed;
    });
  }

  get isReady() { return Boolean(this.grid) && !this.closed; }

  paint(context, plane, { upper, opacity }) {
    const image = context.createImageData(plane.width, plane.height);
    hotIron(reslice(this.grid, images.pixels(this.ids), plane), { upper: upper / this.step }, image);
    context.canvas.style.opacity = opacity;
    context.putImageData(image, 0, 0);
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.pane.view;
    if (!this.isReady || !width) return;
    const { viewport, viewer } = this.pane;
    Object.assign(this.canvas, { width, height });
    const origin = viewport.canvasToWorld([0.5, 0.5]);
    const right = subtract(viewport.canvasToWorld([width + 0.5, 0.5]), origin).map((x) => x / width);
    const down = subtract(viewport.canvasToWorld([0.5, height + 0.5]), origin).map((x) => x / height);
    this.paint(this.canvas.getContext('2d'), { origin, right, down, width, height }, viewer.fused);
  }

  close() {
    this.closed = true;
    this.canvas.remove();
    delete this.pane.frame.dataset.fused;
    images.drop(this.ids);
    images.close(this.key);
  }
}
