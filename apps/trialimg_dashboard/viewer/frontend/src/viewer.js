// The reading viewer: a Streamlit component on Cornerstone3D. Python encodes the slices, computes outlines and
// diameters and keeps the record; this module shows images and reports what the reader draws.
import {
  Enums as CoreEnums, RenderingEngine, cache, eventTarget, getShouldUseCPURendering, imageLoader, init as initCore, metaData, utilities,
} from '@cornerstonejs/core';
import {
  BidirectionalTool, Enums as ToolEnums, LengthTool, PanTool, StackScrollTool, ToolGroupManager, WindowLevelTool, ZoomTool, addTool,
  init as initTools,
} from '@cornerstonejs/tools';
import { Drawings, textLines } from './drawings.js';
import * as images from './images.js';
import { Pane, create } from './pane.js';

const TOOLS = { windowLevel: WindowLevelTool, pan: PanTool, zoom: ZoomTool, bidirectional: BidirectionalTool, length: LengthTool };
const DRAWING_TOOLS = ['bidirectional', 'length'];
const { Primary, Secondary, Auxiliary, Wheel } = ToolEnums.MouseBindings;
const { ANNOTATION_ADDED, ANNOTATION_COMPLETED, ANNOTATION_MODIFIED, ANNOTATION_REMOVED } = ToolEnums.Events;
const CACHE_BYTES = 2 * 1024 ** 3;
const QUIET_MS = 200; // after the last change, before Python is told: one rerun for one finished edit
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
  static key = (data) => data.panes.map(({ id }) => id).join('|');

  constructor(parent, api, data) {
    Object.assign(this, { id: utilities.uuidv4(), api, data, key: Viewer.key(data), panes: [], linked: true });
    this.root = create('div', 'ti-root', '<div class="ti-bar" role="toolbar"></div><div class="ti-row"></div><div class="ti-help" hidden></div>');
    [this.bar, this.row, this.help] = this.root.children;
    this.row.tabIndex = 0;
    this.row.setAttribute('role', 'application');
    this.row.setAttribute('aria-label', data.words.images);
    this.drawings = new Drawings(this);
    parent.append(this.root);
  }

  async mount() {
    start(this.data.rendering);
    this.engine = new RenderingEngine(this.id);
    this.tools = this.createTools();
    this.panes = this.data.panes.map((given, index) => new Pane(this, index, given));
    await Promise.all(this.panes.map((pane) => pane.open()));
    if (this.closed) return;
    this.fillToolbar();
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
        return !this.closed;
      });
    }
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

  // ----- toolbar -----
  button(label, attribute, value, action, on = null) {
    const node = create('button', 'ti-button');
    node.type = 'button';
    node.textContent = label;
    node.dataset[attribute] = value;
    if (on !== null) this.turn(node, on);
    node.onclick = () => { action(node); this.row.focus({ preventScroll: true }); };
    this.bar.append(node);
    return node;
  }

  turn(node, on) {
    node.classList.toggle('on', on);
    node.setAttribute('aria-pressed', on);
    return on;
  }

  fillToolbar() {
    const { words, readOnly } = this.data;
    const offered = Object.keys(TOOLS).filter((name) => !readOnly || !DRAWING_TOOLS.includes(name));
    this.toolButtons = offered.map((name) => this.button(words[name], 'tool', name, () => this.activate(name), false));
    this.panes[0].presets.forEach(([name], number) => this.button(words[name], 'preset', name, () => this.preset(number)));
    if (this.panes.length > 1) this.linkButton = this.button(words.link, 'action', 'link', () => this.toggleLink(), true);
    this.outlineButton = this.button(words.outlines, 'action', 'outlines', () => this.toggleOutlines(), true);
    this.button(words.invert, 'action', 'invert', () => this.panes.forEach((pane) => pane.invert()));
    this.button(words.reset, 'action', 'reset', () => this.panes.forEach((pane) => pane.reset()));
    if (!readOnly) this.button(words.remove, 'action', 'remove', () => this.drawings.removeSelected());
    this.button('?', 'action', 'help', () => this.toggleHelp()).setAttribute('aria-label', words.help);
    for (const line of words.keys) this.help.append(Object.assign(create('div', 'ti-key'), { textContent: line }));
  }

  activate(name) { // the other tools stay passive: their handles can still be dragged
    const isDrawing = DRAWING_TOOLS.includes(name);
    if (isDrawing && this.data.readOnly) return;
    for (const { toolName } of Object.values(TOOLS)) this.tools.setToolPassive(toolName, { removeAllBindings: true });
    const bindings = { pan: [Auxiliary], zoom: [Secondary] };
    bindings[name] = [Primary, ...(bindings[name] ?? [])];
    for (const [tool, buttons] of Object.entries(bindings)) {
      this.tools.setToolActive(TOOLS[tool].toolName, { bindings: buttons.map((mouseButton) => ({ mouseButton })) });
    }
    this.toolButtons.forEach((node) => this.turn(node, node.dataset.tool === name));
  }

  preset(number) { this.panes.forEach((pane) => pane.preset(number)); }

  toggleOutlines() {
    this.row.classList.toggle('ti-no-contours', !this.turn(this.outlineButton, !this.outlineButton.classList.contains('on')));
  }

  toggleHelp() { this.help.hidden = !this.help.hidden; }

  // ----- linked scrolling: pane i shows what lies offsets[i] mm further along its own normal than pane 0 -----
  toggleLink() { this.link(this.turn(this.linkButton, !this.linkButton.classList.contains('on'))); }

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
    const changed = () => {
      clearTimeout(this.timer);
      if (!this.drawings.seeding) this.timer = setTimeout(() => this.closed || this.pressed || this.drawings.send(), QUIET_MS);
    };
    on(eventTarget, ANNOTATION_ADDED, ({ detail: { annotation } }) => {
      if (!this.drawings.seeding && this.drawings.paneOf(annotation)) annotation.data.label = this.data.lesion;
    });
    [ANNOTATION_COMPLETED, ANNOTATION_MODIFIED, ANNOTATION_REMOVED].forEach((name) => on(eventTarget, name, changed));
    on(this.row, 'mousedown', () => { // never measure on a canvas sized for another display scaling
      this.pressed = true;
      if (this.scaling !== window.devicePixelRatio) this.fit();
    }, true);
    on(window, 'mouseup', () => { this.pressed = false; changed(); });
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
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const ask = (what) => () => this.api.setTriggerValue('asked', what);
    const actions = {
      ArrowUp: () => this.scroll(-1), ArrowDown: () => this.scroll(1), PageUp: () => this.scroll(-10), PageDown: () => this.scroll(10),
      b: () => this.activate('bidirectional'), l: () => this.activate('length'), w: () => this.activate('windowLevel'),
      o: () => this.toggleOutlines(), i: () => this.panes.forEach((pane) => pane.invert()), r: () => this.panes.forEach((pane) => pane.reset()),
      Delete: () => this.data.readOnly || this.drawings.removeSelected(), '?': () => this.toggleHelp(),
      n: ask('next'), p: ask('previous'), Enter: ask('accept'), Escape: ask('reject'),
      ...Object.fromEntries([1, 2, 3, 4, 5].map((number) => [String(number), () => this.preset(number - 1)])),
    };
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  scroll(slices) {
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
    this.engine.resize(true, keepCamera);
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
      images.renew(pane.key, pane.given.token);
    });
    if (ready && isChanged) this.drawings.seed();
    if (ready && isOtherWindow) this.panes.forEach((pane) => pane.openingPreset());
    if (ready && isMoved) this.show();
  }

  async show() { // Python asked for other slices: each pane goes to its own, then they are linked there
    this.following = true;
    await Promise.all(this.panes.map((pane) => pane.go(pane.given.slice))).catch((error) => this.fail(error));
    this.following = false;
    if (this.offsets) this.link(true, this.data.linkOffsetMm);
  }

  fail(error) { // shown to the reader, and in the console
    console.error(error);
    const said = create('span', 'ti-fault');
    said.setAttribute('role', 'alert');
    said.textContent = `${this.data.words.failed}: ${error.message ?? error}`;
    this.bar.querySelector('.ti-fault')?.remove();
    this.bar.append(said);
  }

  destroy() {
    this.closed = true;
    clearTimeout(this.timer);
    this.stop?.abort();
    this.drawings.remove(this.drawings.all());
    ToolGroupManager.destroyToolGroup(this.id);
    this.engine?.destroy();
    for (const pane of this.panes) {
      pane.ids?.filter((id) => cache.getImageLoadObject(id)).forEach((id) => cache.removeImageLoadObject(id, { force: true }));
      pane.close();
    }
    this.root.remove();
  }
}

export default function mount(component) {
  const { data, parentElement } = component;
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
