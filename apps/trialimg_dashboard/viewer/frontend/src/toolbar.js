// The buttons above the images, and what their keys are.
import { UPTAKES } from './fusion.js';
import { create } from './pane.js';

const STRENGTHS = { min: 0, max: 100, step: 5 };

export class Toolbar {
  constructor(viewer, bar, help) { Object.assign(this, { viewer, bar, help, toggles: {} }); }

  button(label, attribute, value, action, on = null) {
    const node = create('button', 'ti-button');
    node.type = 'button';
    node.textContent = label;
    node.dataset[attribute] = value;
    if (on !== null) this.turn(node, on);
    node.onclick = () => { action(node); this.viewer.row.focus({ preventScroll: true }); };
    this.bar.append(node);
    return node;
  }

  turn(node, on) {
    node.classList.toggle('on', on);
    node.setAttribute('aria-pressed', on);
    return on;
  }

  /** A button that is on or off; `turned` is told which. */
  toggle(label, name, turned, on = false) {
    const flip = () => turned(this.turn(node, !node.classList.contains('on')));
    const node = this.button(label, 'action', name, flip, on);
    this.toggles[name] = { node, flip };
  }

  flip(name) {
    const found = this.toggles[name];
    if (found && !found.node.disabled) found.flip();
  }

  isOn(name) { return this.toggles[name]?.node.classList.contains('on') ?? false; }

  refuse(name, because) { Object.assign(this.toggles[name].node, { disabled: true, title: because }); }

  fill(tools) {
    const { viewer } = this;
    const { words, readOnly } = viewer.data;
    this.tools = tools.map((name) => this.button(words[name], 'tool', name, () => viewer.activate(name), false));
    viewer.panes[0].presets.forEach(([name], number) => this.button(words[name], 'preset', name, () => viewer.preset(number)));
    if (viewer.panes.length > 1) this.toggle(words.link, 'link', (on) => viewer.link(on), true);
    this.toggle(words.outlines, 'outlines', (on) => viewer.row.classList.toggle('ti-no-contours', !on), true);
    this.toggle(words.fusion, 'fusion', (on) => viewer.fuse(on));
    this.toggle(words.multiplanar, 'multiplanar', (on) => viewer.showPlanes(on));
    this.button(words.invert, 'action', 'invert', () => viewer.invert());
    this.button(words.reset, 'action', 'reset', () => viewer.reset());
    if (!readOnly) this.button(words.remove, 'action', 'remove', () => viewer.drawings.removeSelected());
    this.button('?', 'action', 'help', () => this.toggleHelp()).setAttribute('aria-label', words.help);
    this.addColours(words);
    this.sayHowLinked();
    if (!viewer.panes.some(({ given }) => given.fused)) this.refuse('fusion', words.nothingToFuse);
    if (!viewer.panes.some((pane) => pane.hasPlanes)) this.refuse('multiplanar', words.unevenStack);
    this.help.replaceChildren(...words.keys.map((line) => Object.assign(create('div', 'ti-key'), { textContent: line })));
  }

  /** How strong the colours are and where they end, as long as there are any. */
  addColours(words) {
    this.colours = create('span', 'ti-colours');
    this.colours.hidden = true;
    const strength = Object.assign(create('input'), { type: 'range', ...STRENGTHS, value: this.viewer.fused.opacity * 100 });
    strength.setAttribute('aria-label', words.strength);
    strength.oninput = () => this.viewer.setFused({ opacity: strength.value / 100 });
    this.colours.append(strength);
    this.bar.append(this.colours);
    this.uptakes = UPTAKES.map(([name, upper]) => {
      const node = this.button(words[name], 'uptake', name, () => this.viewer.setFused({ upper }), false);
      this.colours.append(node);
      return [node, upper];
    });
  }

  showColours(on) {
    this.colours.hidden = !on;
    this.uptakes.forEach(([node, upper]) => this.turn(node, this.viewer.fused.upper === upper));
  }

  /** How the slices that are side by side were found. */
  sayHowLinked() {
    const { words, linkedBy } = this.viewer.data;
    if (this.toggles.link && linkedBy) this.toggles.link.node.title = words.linkedBy[linkedBy];
  }

  choose(name) { this.tools.forEach((node) => this.turn(node, node.dataset.tool === name)); }

  toggleHelp() { this.help.hidden = !this.help.hidden; }

  /** Shown to the reader, instead of the fault before it. */
  say(text) {
    const said = create('span', 'ti-fault');
    said.setAttribute('role', 'alert');
    said.textContent = text;
    this.bar.querySelector('.ti-fault')?.remove();
    this.bar.append(said);
  }
}
