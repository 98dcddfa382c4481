// The patient's axial, coronal and sagittal planes through one point of a stack. Looking only: what is measured is
// measured in the plane that was acquired.
import * as images from './images.js';
import { Grid, cut, grey, reslice } from './grid.js';
import { cross, dot, plus, subtract } from './geometry.js';

const PLANES = { // LPS: x to the patient's left, y to the back, z to the head
  axial: { right: [1, 0, 0], down: [0, 1, 0], marks: ['A', 'L', 'P', 'R'] },
  coronal: { right: [1, 0, 0], down: [0, 0, -1], marks: ['H', 'L', 'F', 'R'] },
  sagittal: { right: [0, 1, 0], down: [0, 0, -1], marks: ['H', 'P', 'F', 'A'] },
};
const SIDES = ['top', 'right', 'bottom', 'left'];
const SVG = 'http://www.w3.org/2000/svg';
const ZOOM_PER_PIXEL = 1.01;

class Plane {
  constructor(owner, name) {
    Object.assign(this, { owner, name, ...PLANES[name] });
    this.normal = cross(this.right, this.down);
    this.frame = document.createElement('div');
    this.frame.className = 'ti-pane ti-plane';
    this.frame.dataset.plane = name;
    const marks = SIDES.map((side, n) => `<div class="ti-mark ti-${side}">${this.marks[n]}</div>`).join('');
    this.frame.innerHTML = `<canvas></canvas><canvas></canvas><svg class="ti-contours"></svg><div class="ti-text"></div>${marks}`;
    [this.image, this.colour, this.svg, this.text] = this.frame.children;
    this.frame.onmousedown = (event) => this.press(event);
    this.frame.onwheel = (event) => { event.preventDefault(); this.scroll(Math.sign(event.deltaY)); };
    this.frame.oncontextmenu = (event) => event.preventDefault();
  }

  get scale() { return this.owner.fit * this.owner.zoom; } // mm under one CSS pixel

  get view() { return { width: this.frame.clientWidth, height: this.frame.clientHeight }; }

  /** World place of the middle of the plane: the stack's centre, or the crosshair once it is zoomed. */
  get middle() {
    const { centre, point, zoom } = this.owner;
    const held = zoom < 1 ? point : centre;
    return plus(held, this.normal, dot(subtract(point, held), this.normal));
  }

  toWorld(x, y) {
    const { width, height } = this.view;
    return plus(plus(this.middle, this.right, (x - width / 2) * this.scale), this.down, (y - height / 2) * this.scale);
  }

  toScreen(point) {
    const { width, height } = this.view;
    const away = subtract(point, this.middle);
    return [dot(away, this.right) / this.scale + width / 2, dot(away, this.down) / this.scale + height / 2];
  }

  press(event) {
    event.preventDefault();
    const box = this.frame.getBoundingClientRect();
    const byZoom = event.button === 2;
    const start = { y: event.clientY, zoom: this.owner.zoom };
    const move = ({ clientX, clientY }) => {
      if (byZoom) this.owner.set({ zoom: Math.min(start.zoom * ZOOM_PER_PIXEL ** (clientY - start.y), 1) });
      else this.owner.set({ point: this.toWorld(clientX - box.x, clientY - box.y) });
    };
    const release = () => { window.removeEventListener('mousemove', move); window.removeEventListener('mouseup', release); };
    window.addEventListener('mousemove', move);
    window.addEventListener('mouseup', release);
    if (!byZoom) move(event);
  }

  scroll(steps) {
    const { grid, point } = this.owner;
    this.owner.set({ point: plus(point, this.normal, steps * grid.stepAlong(this.normal)) });
  }

  draw() {
    const { grid, ids, pane, point } = this.owner;
    const { width, height } = this.view;
    if (!width) return;
    const [right, down] = [this.right, this.down].map((direction) => direction.map((x) => x * this.scale));
    const plane = { origin: this.toWorld(0.5, 0.5), right, down, width, height };
    Object.assign(this.image, { width, height });
    const context = this.image.getContext('2d');
    const image = context.createImageData(width, height);
    const { voiRange, invert } = pane.viewport.getProperties();
    grey(reslice(grid, images.pixels(ids), plane), { ...voiRange, invert }, image);
    context.putImageData(image, 0, 0);
    Object.assign(this.colour, { width, height });
    if (pane.fusion?.isReady) pane.fusion.paint(this.colour.getContext('2d'), plane, pane.viewer.fused);
    this.text.textContent = `${pane.given.label}\n${pane.viewer.data.words[this.name]}  ${point.map((x) => x.toFixed(1)).join('  ')} mm`;
    this.drawLines();
  }

  drawLines() {
    const { width, height } = this.view;
    const [x, y] = this.toScreen(this.owner.point);
    const line = (className, d, lesion) => {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('class', className);
      path.setAttribute('d', d);
      if (lesion) path.setAttribute('data-lesion', lesion);
      return path;
    };
    const crosshair = line('ti-crosshair', `M0,${y}H${width}M${x},0V${height}`);
    this.svg.replaceChildren(crosshair, ...this.outlines().map(({ lesion, points, proposed }) => line(
      proposed ? 'ti-contour ti-proposed' : 'ti-contour',
      `M${points.map((p) => this.toScreen(p).map((value) => value.toFixed(2)).join(',')).join('L')}`,
      lesion,
    )));
  }

  /** Outlines in this plane; across the acquired slices, the pieces of each slice that lie within the lesion. */
  outlines() {
    const { grid, pane, point } = this.owner;
    const through = { point, normal: this.normal, thickness: grid.stepAlong(this.normal) };
    return Object.values(pane.given.outlines ?? {}).flat().flatMap(
      (outline) => cut(outline.points, through).map((points) => ({ ...outline, points })),
    );
  }
}

export class Multiplanar {
  constructor(pane) {
    Object.assign(this, { pane, ids: pane.ids, grid: new Grid(pane.geometry), zoom: 1 });
    this.frame = document.createElement('div');
    this.frame.className = 'ti-planes';
    this.planes = Object.keys(PLANES).map((name) => new Plane(this, name));
    this.frame.append(...this.planes.map(({ frame }) => frame));
    this.planes.forEach(({ frame }) => { frame.style.height = `${pane.viewer.data.height}px`; });
    this.centre = this.grid.centre;
    this.point = this.start();
  }

  /** Where the chosen lesion lies on the shown slice, else the middle of what is shown. */
  start() {
    const { given, slice, viewer, viewport, view } = this.pane;
    const own = (given.outlines?.[slice] ?? []).find(({ lesion }) => viewer.data.lesion === lesion);
    if (!own) return viewport.canvasToWorld([view.clientWidth / 2, view.clientHeight / 2]);
    return [0, 1, 2].map((axis) => own.points.reduce((sum, p) => sum + p[axis], 0) / own.points.length);
  }

  /** Millimetres under a CSS pixel at which the whole stack fits into each plane. */
  get fit() {
    const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => this.grid.toWorld(this.grid.size.map((size, axis) => (n >> axis) % 2 ? size - 0.5 : -0.5)));
    return Math.max(...this.planes.flatMap(({ right, down, view }) => [[right, view.width], [down, view.height]].map(([direction, pixels]) => {
      const along = corners.map((corner) => dot(corner, direction));
      return (Math.max(...along) - Math.min(...along)) / Math.max(pixels, 1);
    })));
  }

  set(change) {
    Object.assign(this, change);
    const index = this.grid.toIndex(this.point).map((x, axis) => Math.min(Math.max(x, 0), this.grid.size[axis] - 1));
    this.point = this.grid.toWorld(index);
    this.draw();
  }

  scroll(steps) { (this.planes.find(({ frame }) => frame.matches(':hover')) ?? this.planes[0]).scroll(steps); }

  reset() { this.set({ zoom: 1, point: this.start() }); }

  draw() {
    cancelAnimationFrame(this.due);
    this.due = requestAnimationFrame(() => this.closed || this.planes.forEach((plane) => plane.draw()));
  }

  close() {
    this.closed = true;
    this.frame.remove();
  }
}
