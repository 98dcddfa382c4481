// The reading viewer: a Streamlit component on Cornerstone3D. Python encodes the slices, computes outlines and
// diameters and keeps the record; this module shows images and reports what the reader draws.
import {
  Enums as CoreEnums, RenderingEngine, cache, eventTarget, getShouldUseCPURendering, imageLoader, init as initCore, metaData, utilities,
} from '@cornerstonejs/core';
import {
  BidirectionalTool, Enums as ToolEnums, LengthTool, PanTool, StackScrollTool, ToolGroupManager, WindowLevelTool, ZoomTool, addTool,
  init as initTools,
} from '@cornerstonejs/tools';
import { Contouring } from './contouring.js';
import { Drawings, textLines } from './drawings.js';
import { dot, normal } from './geometry.js';
import * as images from './images.js';
import { Multiplanar } from './multiplanar.js';
import { Pane, create } from './pane.js';
import { Toolbar } from './toolbar.js';

const TOOLS = { windowLevel: WindowLevelTool, pan: PanTool, zoom: ZoomTool, bidirectional: BidirectionalTool, length: LengthTool };
const CONTOURS = { contourAdd: 'add', contourCut: 'cut' }; // tools of our own, above Cornerstone's
const CHANGING_TOOLS = ['bidirectional', 'length', ...Object.keys(CONTOURS)];
const { Primary, Secondary, Auxiliary, Wheel } = ToolEnums.MouseBindings;
const { ANNOTATION_ADDED, ANNOTATION_COMPLETED, ANNOTATION_MODIFIED, ANNOTATION_REMOVED } = ToolEnums.Events;
const CACHE_BYTES = 2 * 1024 ** 3;
const QUIET_MS = 200; // after the last change, before Python is told: one rerun for one finished edit
const RELEASED_MS = 20; // the same after the mouse was released, which finishes an edit
const TRIES = 3;
const VIEWERS = new WeakMap(); // Streamlit's parent element -> Viewer
let started = false;

function start(rendering) {
  if (started) return;
  started = true;
  initCore({ rendering: { useCPURendering: rendering === 'cpu' } }); // without WebGL Cornerstone turns this on itself
  initTools();
  cache.setMaxCacheSize(CACHE_BYTES);
  [StackScrollTool, ...Object.values(TOOLS)].forEach(addTool);
  imageLoader.registerImageLoader('trialimg', images.loader);
  metaData.addProvider(images.metadata, 1000);
}

class Viewer {
  static key = (data) => data.panes.map(({ id, fused }) => `${id}+${fused}`).join('|');

  constructor(parent, api, data) {
    Object.assign(this, { id: utilities.uuidv4(), api, data, key: Viewer.key(data), panes: [] });
    this.fused = { opacity: 0.7, upper: 10 };
    this.root = create('div', 'ti-root', '<div class="ti-bar" role="toolbar"></div><div class="ti-row"></div><div class="ti-help" hidden></div>');
    const [bar, row, help] = this.root.children;
    this.row = row;
    this.toolbar = new Toolbar(this, bar, help);
    this.row.tabIndex = 0;
    this.row.setAttribute('role', 'application');
    this.row.setAttribute('aria-label', data.words.images);
    this.drawings = new Drawings(this);
    this.contouring = new Contouring(this);
    parent.append(this.root);
  }

  async mount() {
    start(this.data.rendering);
    this.engine = new RenderingEngine(this.id);
    this.tools = this.createTools();
    this.panes = this.data.panes.map((given, index) => new Pane(this, index, given));
    await this.open(TRIES);
    if (this.closed) return;
    this.toolbar.fill(this.offeredTools);
    this.activate(this.data.tool ?? 'windowLevel');
    this.row.append(...this.panes.map(({ frame }) => frame)); // all before any is shown: the fit needs the final width
    await this.visible(); // the page may still be laying itself out; a canvas without size has no coordinates
    for (const pane of this.panes) await pane.show(this.engine, this.tools);
    if (this.closed) return;
    this.fit(false);
    this.link(true, this.data.linkOffsetMm);
    this.drawings.seed();
    this.listen();
    Object.assign(this.root.dataset, { ready: 'yes', rendering: getShouldUseCPURendering() ? 'cpu' : 'gpu' });
    for (const pane of this.panes) {
      await images.prefetch(pane.ids, pane.slice, (id) => imageLoader.loadAndCacheImage(id), (loaded) => {
        pane.frame.dataset.loaded = loaded;
        this.planes?.draw();
        return !this.closed;
      });
    }
    this.isLoaded = !this.closed;
    this.fetchAhead();
  }

  fetchAhead() { // the next case, once everything of the present one is here
    const { next, tokenSeconds } = this.data;
    if (!this.isLoaded || !next || this.ahead === next.base) return;
    this.ahead = next.base;
    images.fetchAhead({ ...next, seconds: tokenSeconds });
  }

  /** A page that was slow, or asleep, comes with tokens that are over: Python gives others to whoever is signed in. */
  async open(tries) {
    try {
      await Promise.all(this.panes.map((pane) => pane.open()));
    } catch (error) {
      if (!error.isExpired || !tries) throw error;
      const renewed = new Promise((resolve) => { this.onRenewed = resolve; });
      this.ask('token')();
      await renewed;
      await this.open(tries - 1);
    }
  }

  get offeredTools() {
    return [...Object.keys(TOOLS), ...Object.keys(CONTOURS)].filter((name) => !this.data.readOnly || !CHANGING_TOOLS.includes(name));
  }

  createTools() {
    const tools = ToolGroupManager.createToolGroup(this.id);
    tools.addTool(StackScrollTool.toolName);
    for (const [name, { toolName }] of Object.entries(TOOLS)) {
      tools.addTool(toolName, textLines[name] ? { getTextLines: textLines[name] } : undefined);
    }
    tools.setToolActive(StackScrollTool.toolName, { bindings: [{ mouseButton: Wheel }] });
    return tools;
  }

  // ----- tools, windows, what lies over the images -----
  activate(name) { // the other tools stay passive: their handles can still be dragged
    if (CHANGING_TOOLS.includes(name)) {
      if (this.data.readOnly) return;
      if (this.planes) this.toolbar.flip('multiplanar'); // what is measured lies in the acquired plane
    }
    this.toolbar.choose(name);
    this.contouring.begin(CONTOURS[name] ?? null);
    for (const { toolName } of Object.values(TOOLS)) this.tools.setToolPassive(toolName, { removeAllBindings: true });
    const bindings = { pan: [Auxiliary], zoom: [Secondary] };
    if (TOOLS[name]) bindings[name] = [Primary, ...(bindings[name] ?? [])];
    for (const [tool, buttons] of Object.entries(bindings)) {
      this.tools.setToolActive(TOOLS[tool].toolName, { bindings: buttons.map((mouseButton) => ({ mouseButton })) });
    }
  }

  preset(number) { this.panes.forEach((pane) => pane.preset(number)); this.planes?.draw(); }

  invert() { this.panes.forEach((pane) => pane.invert()); this.planes?.draw(); }

  reset() { this.panes.forEach((pane) => pane.reset()); this.planes?.reset(); }

  async fuse(on) {
    this.toolbar.showColours(on);
    await Promise.all(this.panes.map((pane) => pane.fuse(on))).catch((error) => this.fail(error));
    this.planes?.draw();
  }

  setFused(change) {
    Object.assign(this.fused, change);
    this.toolbar.showColours(true);
    this.panes.forEach(({ fusion }) => fusion?.draw());
    this.planes?.draw();
  }

  /** The three planes of the stack under the mouse instead of the stacks, or the stacks again where the planes met. */
  showPlanes(on) {
    if (on === Boolean(this.planes)) return;
    if (on) {
      const pane = this.panes.find((one) => one.frame.matches(':hover') && one.hasPlanes) ?? this.panes.findLast((one) => one.hasPlanes);
      this.planes = new Multiplanar(pane);
      this.row.classList.add('ti-in-planes');
      this.row.append(this.planes.frame);
      this.planes.set({});
      return;
    }
    const { pane, point } = this.planes;
    this.planes.close();
    this.planes = null;
    this.row.classList.remove('ti-in-planes');
    this.fit();
    pane.goToHeight(dot(point, normal(pane.geometry.orientation))).catch((error) => this.fail(error));
  }

  // ----- linked scrolling: pane i shows what lies offsets[i] mm further along its own normal than pane 0 -----
  link(on, offset) {
    const [first] = this.panes;
    this.offsets = on ? this.panes.map((pane, i) => (i === 1 ? offset : null) ?? pane.height - first.height) : null;
  }

  async follow(source) {
    if (!this.offsets || this.following || this.unlinked) return;
    this.following = true;
    const height = source.height - this.offsets[source.index];
    const others = this.panes.filter((pane) => pane !== source);
    await Promise.all(others.map((pane) => pane.goToHeight(height + this.offsets[pane.index]))).catch((error) => this.fail(error));
    this.following = false;
  }

  // ----- events -----
  listen() {
    this.stop = new AbortController();
    this.renewedAt = Date.now();
    const { signal } = this.stop;
    const on = (target, name, handler, capture = false) => {
      target.addEventListener(name, handler, capture);
      signal.addEventListener('abort', () => target.removeEventListener(name, handler, capture));
    };
    const changed = (quiet = QUIET_MS) => {
      clearTimeout(this.timer);
      if (!this.drawings.seeding) this.timer = setTimeout(() => this.closed || this.pressed || this.drawings.send(), quiet);
    };
    on(eventTarget, ANNOTATION_ADDED, ({ detail: { annotation } }) => {
      if (!this.drawings.seeding && this.drawings.paneOf(annotation)) annotation.data.label = this.data.lesion;
    });
    [ANNOTATION_COMPLETED, ANNOTATION_MODIFIED, ANNOTATION_REMOVED].forEach((name) => on(eventTarget, name, () => changed()));
    on(this.row, 'mousedown', (event) => { // never measure on a canvas sized for another display scaling
      if (this.scaling !== window.devicePixelRatio) this.fit();
      this.pressed = !this.contouring.press(event) && !this.planes;
    }, true);
    on(window, 'mouseup', () => { this.pressed = false; changed(RELEASED_MS); });
    on(window, 'resize', () => this.fit());
    on(this.row, 'mouseenter', () => this.row.focus({ preventScroll: true }));
    on(this.row, 'keydown', (event) => this.pressKey(event));
    on(window, 'keydown', ({ key }) => { if (key === 'Shift') this.unlinked = true; });
    on(window, 'keyup', ({ key }) => { if (key === 'Shift') this.unlinked = false; });
    const observer = new ResizeObserver(() => this.fit());
    observer.observe(this.row);
    signal.addEventListener('abort', () => observer.disconnect());
    ['wheel', 'mousedown', 'keydown'].forEach((name) => on(this.row, name, () => this.isUsed(), true));
    const renewal = setInterval(() => this.renewTokens(), (this.data.tokenSeconds * 1000) / 2);
    signal.addEventListener('abort', () => clearInterval(renewal));
  }

  pressKey(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const isUndo = event.ctrlKey && key === 'z' && !this.data.readOnly;
    if (!isUndo && (event.ctrlKey || event.altKey || event.metaKey)) return;
    const action = isUndo ? this.ask('undo') : this.actions[key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  ask(what) { return () => this.api.setTriggerValue('asked', what); }

  get actions() {
    const { toolbar } = this;
    return {
      ArrowUp: () => this.scroll(-1), ArrowDown: () => this.scroll(1), PageUp: () => this.scroll(-10), PageDown: () => this.scroll(10),
      b: () => this.activate('bidirectional'), l: () => this.activate('length'), w: () => this.activate('windowLevel'),
      a: () => this.activate('contourAdd'), x: () => this.activate('contourCut'),
      o: () => toolbar.flip('outlines'), f: () => toolbar.flip('fusion'), m: () => toolbar.flip('multiplanar'),
      i: () => this.invert(), r: () => this.reset(),
      Delete: () => this.data.readOnly || this.drawings.removeSelected(), '?': () => toolbar.toggleHelp(),
      n: this.ask('next'), p: this.ask('previous'), Enter: this.ask('accept'), Escape: () => this.leave(),
      ...Object.fromEntries([1, 2, 3, 4, 5].map((number) => [String(number), () => this.preset(number - 1)])),
    };
  }

  /** Esc leaves what was begun last: a line, a tool, the planes; else Python takes the last act back. */
  leave() {
    if (this.contouring.cancel()) return;
    if (this.planes) this.toolbar.flip('multiplanar');
    else if (this.contouring.isOn) this.activate('windowLevel');
    else this.ask('reject')();
  }

  scroll(slices) {
    if (this.planes) {
      this.planes.scroll(slices);
      return;
    }
    const pane = this.panes.find(({ frame }) => frame.matches(':hover')) ?? this.panes.at(-1);
    const target = Math.min(Math.max(pane.slice + slices, 0), pane.ids.length - 1);
    pane.go(target).catch((error) => this.fail(error));
  }

  isUsed() {
    this.active = true;
    if (Date.now() - this.renewedAt > this.data.tokenSeconds * 1000) this.renewTokens(); // back after a while
  }

  renewTokens() { // only while somebody reads: a page left open must not keep its reader signed in
    if (!this.active) return;
    this.active = false;
    this.renewedAt = Date.now();
    // a page that slept too long asks Python, which gives a token only to someone still signed in
    this.panes.forEach(({ key }) => images.refresh(key).catch(() => this.api.setTriggerValue('asked', 'token')));
  }

  visible() {
    if (this.row.clientWidth) return Promise.resolve();
    return new Promise((resolve) => {
      const observer = new ResizeObserver(() => {
        if (!this.row.clientWidth && !this.closed) return;
        observer.disconnect();
        resolve();
      });
      observer.observe(this.row);
    });
  }

  fit(keepCamera = true) {
    if (this.closed || !this.row.clientWidth) return; // hidden or on its way out
    this.scaling = window.devicePixelRatio;
    this.planes?.draw();
    if (!this.planes) this.engine.resize(true, keepCamera);
  }

  render() { this.panes.forEach(({ viewport }) => viewport?.render()); }

  update(api, data) { // a Streamlit rerun: new token, another lesion, outlines or drawings changed by Python
    const ready = Boolean(this.root.dataset.ready);
    const isChanged = data.revision !== this.data.revision;
    const isOtherWindow = data.window !== this.data.window;
    const isMoved = data.panes.map(({ slice }) => slice).join() !== this.data.panes.map(({ slice }) => slice).join();
    Object.assign(this, { api, data });
    this.panes.forEach((pane, index) => {
      pane.given = data.panes[index];
      pane.renew();
    });
    this.onRenewed?.();
    if (ready && isChanged) this.drawings.seed();
    if (ready && isOtherWindow) this.panes.forEach((pane) => pane.openingPreset());
    if (ready && isMoved) this.show();
    if (ready) this.planes?.draw();
    this.toolbar.sayHowLinked();
    this.fetchAhead();
  }

  async show() { // Python asked for other slices: each pane goes to its own, then they are linked there
    this.following = true;
    await Promise.all(this.panes.map((pane) => pane.go(pane.given.slice))).catch((error) => this.fail(error));
    this.following = false;
    if (this.offsets) this.link(true, this.data.linkOffsetMm);
  }

  fail(error) { // shown to the reader, and in the console
    console.error(error);
    this.toolbar.say(`${this.data.words.failed}: ${error.message ?? error}`);
  }

  destroy() {
    this.closed = true;
    clearTimeout(this.timer);
    this.stop?.abort();
    this.contouring.cancel();
    this.drawings.remove(this.drawings.all());
    ToolGroupManager.destroyToolGroup(this.id);
    this.engine?.destroy();
    this.planes?.close();
    this.panes.forEach((pane) => pane.close());
    this.root.remove();
  }
}

export default function mount(component) {
  const { data, parentElement } = component;
  if (!data.panes.length) return () => {}; // asked for ahead: that this module is here was all
  let viewer = VIEWERS.get(parentElement);
  if (viewer?.key === Viewer.key(data)) viewer.update(component, data);
  else {
    viewer?.destroy();
    viewer = new Viewer(parentElement, component, data);
    VIEWERS.set(parentElement, viewer);
    viewer.mount().catch((error) => viewer.fail(error));
  }
  return () => { viewer.destroy(); VIEWERS.delete(parentElement); };
}
