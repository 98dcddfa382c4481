// What the reader draws. Python holds the record; `revision` says which state of it the drawings belong to.
import { annotation as annotations, BidirectionalTool, LengthTool } from '@cornerstonejs/tools';
import { parse } from './images.js';
import { distance } from './geometry.js';

const PROPOSED = { lineDash: '5,4', color: 'rgb(255, 208, 102)' };
const KINDS = { [BidirectionalTool.toolName]: 'bidirectional', [LengthTool.toolName]: 'length' };

export const mm = (length) => length.toFixed(1);

/** The text beside a drawing: lengths as Python will compute them, one decimal. */
export const textLines = {
  bidirectional: ({ label, handles: { points: [a, b, c, d] } }) => {
    const [short, long] = [distance(a, b), distance(c, d)].sort((x, y) => x - y);
    return [`${label} ${mm(long)} x ${mm(short)} mm`];
  },
  length: ({ label, handles: { points: [a, b] } }) => [`${label} ${mm(distance(a, b))} mm`],
};

export class Drawings {
  constructor(viewer) { this.viewer = viewer; }

  paneOf({ metadata: { toolName, referencedImageId } }) {
    const place = KINDS[toolName] && parse(referencedImageId);
    return place && this.viewer.panes.find((pane) => pane.key === place.key);
  }

  all() { return annotations.state.getAllAnnotations().filter((drawing) => this.paneOf(drawing)); }

  remove(drawings) {
    drawings.forEach(({ annotationUID }) => annotations.state.removeAnnotation(annotationUID));
    this.viewer.render();
  }

  removeSelected() {
    this.remove(this.all().filter(({ annotationUID }) => annotations.selection.isAnnotationSelected(annotationUID)));
  }

  /** Draw what Python has, instead of whatever is there. */
  seed() {
    this.seeding = true;
    this.remove(this.all());
    for (const given of structuredClone(this.viewer.data.drawings)) this.seedOne(given);
    this.viewer.render();
    this.sent = this.said();
    this.seeding = false;
  }

  seedOne({ uid, series, slice, label, kind, points, proposed, locked }) {
    for (const pane of this.viewer.panes.filter((one) => one.given.id === series)) {
      const options = { annotationUID: uid, referencedImageId: pane.ids[slice] };
      if (kind === 'length') LengthTool.hydrate(pane.viewportId, points, options);
      else BidirectionalTool.hydrate(pane.viewportId, [points.slice(0, 2), points.slice(2)], options);
      annotations.state.getAnnotation(uid).data.label = label; // not every tool gives what it has made
      annotations.config.style.setAnnotationStyles(uid, proposed ? PROPOSED : {}); // styles outlive the drawings that had them
      if (locked || this.viewer.data.readOnly) annotations.locking.setAnnotationLocked(uid, true);
    }
  }

  items() {
    return this.all().map((drawing) => {
      const { annotationUID, metadata: { toolName, referencedImageId }, data: { label, handles } } = drawing;
      const pane = this.paneOf(drawing);
      return {
        uid: annotationUID, series: pane.given.id, slice: parse(referencedImageId).slice, label, kind: KINDS[toolName],
        points: handles.points.map((p) => Array.from(p, (x) => +x.toFixed(4))), pixel_mm: pane.pixelMm,
      };
    });
  }

  /** The drawings as text, without the zoom: zooming changes no drawing. */
  said() { return JSON.stringify(this.items().map((item) => ({ ...item, pixel_mm: undefined }))); }

  /** Tell Python, if anything was changed since it was told last. */
  send() {
    const said = this.said();
    if (said === this.sent) return;
    this.sent = said;
    this.viewer.api.setStateValue('drawn', { revision: this.viewer.data.revision, items: this.items() });
  }
}
