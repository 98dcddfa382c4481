// A closed line drawn by hand, by which a lesion's outline grows or shrinks in one slice. Python makes the mask of it.
import { distance } from './geometry.js';

const SVG = 'http://www.w3.org/2000/svg';
const APART_PX = 1.5; // between two points of the line
const FEWEST = 3;

export class Contouring {
  constructor(viewer) { Object.assign(this, { viewer, operation: null }); }

  get isOn() { return this.operation !== null; }

  /** The pane whose lesions may be changed: that of the visit which is read. */
  get pane() { return this.viewer.panes.at(-1); }

  begin(operation) {
    this.operation = operation;
    this.viewer.row.classList.toggle('ti-contouring', this.isOn);
  }

  /** Before Cornerstone hears of it: a press on the image begins a line. True if it was one. */
  press(event) {
    const { view } = this.pane;
    if (!this.isOn || event.button !== 0 || !view.contains(event.target)) return false;
    event.stopPropagation();
    event.preventDefault();
    this.points = [];
    this.line = document.createElementNS(SVG, 'path');
    this.line.setAttribute('class', `ti-drawn ti-${this.operation}`);
    this.pane.contours.append(this.line);
    this.follow(event);
    this.stop = new AbortController();
    const { signal } = this.stop;
    window.addEventListener('mousemove', (moved) => { moved.stopPropagation(); this.follow(moved); }, { capture: true, signal });
    window.addEventListener('mouseup', (released) => { released.stopPropagation(); this.follow(released); this.finish(); }, { capture: true, signal });
    return true;
  }

  follow({ clientX, clientY }) {
    const box = this.pane.view.getBoundingClientRect();
    const point = [clientX - box.x, clientY - box.y];
    const last = this.points.at(-1);
    if (last && distance([...last, 0], [...point, 0]) < APART_PX) return;
    this.points.push(point);
    this.line.setAttribute('d', `M${this.points.map((p) => p.join(',')).join('L')}Z`);
  }

  finish() {
    const { pane, viewer, points } = this;
    this.cancel();
    if (points.length < FEWEST) return;
    viewer.api.setTriggerValue('contour', {
      revision: viewer.data.revision, series: pane.given.id, slice: pane.slice, label: viewer.data.lesion, operation: this.operation,
      points: points.map((p) => Array.from(pane.viewport.canvasToWorld(p), (x) => +x.toFixed(4))), pixel_mm: pane.pixelMm,
    });
  }

  /** Forget the line that is being drawn; true if there was one. */
  cancel() {
    const was = Boolean(this.line?.isConnected);
    this.stop?.abort();
    this.line?.remove();
    return was;
  }
}
