// One image stack on the screen: window, outlines, orientation marks, caption.
import { Enums } from '@cornerstonejs/core';
import { utilities as toolUtilities } from '@cornerstonejs/tools';
import { Fusion } from './fusion.js';
import { Grid } from './grid.js';
import * as images from './images.js';
import { dot, nearest, normal, subtract } from './geometry.js';

const { STACK_NEW_IMAGE, IMAGE_RENDERED, VOI_MODIFIED } = Enums.Events;
const SVG = 'http://www.w3.org/2000/svg';
const SIDES = ['top', 'right', 'bottom', 'left'];
const SMALL_PART = 0.05; // of a direction: below 3 degrees a letter would confuse

// width, level in the unit of the image
const PRESETS = {
  CT: [['softTissue', 400, 40], ['liver', 150, 90], ['lung', 1500, -600], ['bone', 2000, 400], ['brain', 80, 40]],
  PT: [['suv5', 5, 2.5], ['suv10', 10, 5], ['suv20', 20, 10]],
};
const SUV = 'g/ml{SUVbw}';

// fixed text only, never data
export const create = (tag, className, innerHTML = '') => Object.assign(document.createElement(tag), { className, innerHTML });

export class Pane {
  constructor(viewer, index, given) {
    Object.assign(this, { viewer, index, given, key: `${viewer.id}/${index}`, viewportId: `${viewer.id}/${index}` });
    const marks = SIDES.map((side) => `<div class="ti-mark ti-${side}"></div>`).join('');
    this.frame = create('div', 'ti-pane', `<div class="ti-view"></div><svg class="ti-contours"></svg><div class="ti-text"></div>${marks}`);
    this.frame.style.height = `${viewer.data.height}px`;
    this.frame.dataset.series = given.id;
    [this.view, this.contours, this.text, ...this.marks] = this.frame.children;
    this.view.oncontextmenu = (event) => event.preventDefault();
  }

  async open() {
    this.geometry = await images.open(this.key, this.given);
    this.ids = images.imageIds(this.key, this.geometry.positions.length);
    const axis = normal(this.geometry.orientation);
    this.heights = this.geometry.positions.map((p) => dot(p, axis));
    this.step = this.geometry.step;
    this.hasPlanes = new Grid(this.geometry).isEven; // planes across slices that are unevenly apart would mislead
  }

  get presets() {
    const { modality, unit, window: [width, level] } = this.geometry;
    const isKnown = modality !== 'PT' || unit === SUV; // uptake in an unknown unit has no window by name
    return (isKnown && PRESETS[modality]) || [['automatic', width, level]];
  }

  get slice() { return this.viewport.getCurrentImageIdIndex(); }

  get height() { return this.heights[this.slice]; }

  async show(engine, tools) {
    const { viewportId, view, viewer } = this;
    engine.enableElement({ viewportId, type: Enums.ViewportType.STACK, element: view, defaultOptions: { background: [0, 0, 0] } });
    tools.addViewport(viewportId, viewer.id);
    this.viewport = engine.getViewport(viewportId);
    view.addEventListener(STACK_NEW_IMAGE, () => viewer.follow(this));
    view.addEventListener(VOI_MODIFIED, () => this.caption());
    view.addEventListener(IMAGE_RENDERED, () => this.decorate());
    await this.viewport.setStack(this.ids, Math.min(this.given.slice ?? this.ids.length >> 1, this.ids.length - 1));
    this.openingPreset();
  }

  /** The window that suits what is looked at, as Python names it; else the first. */
  openingPreset() { this.preset(Math.max(0, this.presets.findIndex(([name]) => name === this.viewer.data.window))); }

  preset(number) {
    const [, width, level] = this.presets[number] ?? this.presets[0];
    this.viewport.setProperties({ voiRange: { lower: (level - width / 2) / this.step, upper: (level + width / 2) / this.step } });
    this.viewport.render();
  }

  invert() {
    this.viewport.setProperties({ invert: !this.viewport.getProperties().invert });
    this.viewport.render();
  }

  reset() {
    this.viewport.resetCamera();
    this.openingPreset();
  }

  async go(slice) {
    if (slice >= 0 && slice < this.ids.length && slice !== this.slice) await this.viewport.setImageIdIndex(slice);
  }

  goToHeight(height) { return this.go(nearest(this.heights, height)); }

  /** Millimetres of the patient under one CSS pixel, as shown now: kept with every measurement. */
  get pixelMm() {
    const [a, b] = [this.viewport.canvasToWorld([0, 0]), this.viewport.canvasToWorld([1, 0])];
    return +Math.hypot(...subtract(b, a)).toFixed(4);
  }

  caption() {
    const { lower = 0, upper = 0 } = this.viewport.getProperties().voiRange ?? {};
    const digits = this.step < 0.1 ? 1 : 0;
    const [width, level] = [(upper - lower) * this.step, ((upper + lower) / 2) * this.step].map((x) => x.toFixed(digits));
    this.text.textContent = `${this.given.label}\n${this.slice + 1}/${this.ids.length}  W ${width} L ${level}  z ${this.geometry.positions[this.slice][2].toFixed(1)}`;
    this.frame.dataset.slice = this.slice;
  }

  decorate() {
    if (!this.view.clientWidth) return;
    this.drawOutlines();
    this.drawMarks();
    this.caption();
    this.fusion?.draw();
  }

  /** Lay the uptake of the visit over this stack, or take it away. */
  async fuse(isOn) {
    if (isOn === Boolean(this.fusion) || !this.given.fused) return;
    if (!isOn) {
      this.fusion.close();
      this.fusion = null;
      return;
    }
    this.fusion = new Fusion(this);
    await this.fusion.open();
    this.fusion?.draw();
  }

  renew() { images.renew(this.key, this.given.token); }

  drawOutlines() {
    const outlines = this.given.outlines?.[this.slice] ?? [];
    const drawing = this.contours.querySelectorAll('.ti-drawn');
    this.contours.replaceChildren(...drawing, ...outlines.map(({ lesion, points, proposed }) => {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('class', proposed ? 'ti-contour ti-proposed' : 'ti-contour');
      path.setAttribute('data-lesion', lesion);
      path.setAttribute('d', `M${points.map((p) => this.viewport.worldToCanvas(p).map((x) => x.toFixed(2)).join(',')).join('L')}Z`);
      return path;
    }));
  }

  drawMarks() {
    const { clientWidth: w, clientHeight: h } = this.view;
    const { getOrientationStringLPS, invertOrientationStringLPS } = toolUtilities.orientation;
    const letters = (from, to) => {
      const vector = subtract(this.viewport.canvasToWorld(to), this.viewport.canvasToWorld(from));
      const length = Math.hypot(...vector);
      return getOrientationStringLPS(vector.map((x) => (Math.abs(x / length) < SMALL_PART ? 0 : x)));
    };
    const right = letters([0, h / 2], [w, h / 2]);
    const bottom = letters([w / 2, 0], [w / 2, h]);
    [invertOrientationStringLPS(bottom), right, bottom, invertOrientationStringLPS(right)].forEach((text, i) => { this.marks[i].textContent = text; });
  }

  close() {
    this.fusion?.close();
    images.drop(this.ids);
    images.close(this.key);
  }
}
