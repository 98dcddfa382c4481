// A sign-in ends on the server after some minutes without use. This only tells the person in time, tells the server of
// use that it does not see (scrolling, typing), and asks for the page once the session must be over: the server decides.
const USED = "trialimg-used"; // shared by the tabs of one browser
const TOLD_MS = 30_000; // the server is told of use this often at most
const EVENTS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];

let watch = null; // one per tab, whatever is drawn anew around it

export default function ({ parentElement, data }) {
  watch ??= new Watch();
  watch.show(parentElement.querySelector(".idle"), data);
}

class Watch {
  constructor() {
    this.toldAt = Date.now(); // this page was just asked for
    localStorage.setItem(USED, String(Date.now()));
    for (const name of EVENTS) window.addEventListener(name, () => this.used(), { capture: true, passive: true });
    setInterval(() => this.look(), 1000);
  }

  show(dialog, data) {
    if (dialog === this.dialog) return;
    Object.assign(this, { dialog, data });
    dialog.querySelector("h2").textContent = data.words.title;
    dialog.querySelector("button").textContent = data.words.stay;
    dialog.querySelector("button").addEventListener("click", () => this.stay());
  }

  used() {
    if (this.dialog && !this.dialog.hidden) return; // whoever was warned says that they stay
    this.note();
  }

  stay() {
    this.dialog.hidden = true;
    this.toldAt = 0;
    this.note();
    this.before?.focus?.();
  }

  note() {
    const now = Date.now();
    localStorage.setItem(USED, String(now));
    if (now - this.toldAt < Math.min(TOLD_MS, this.data.seconds * 250)) return;
    this.toldAt = now;
    fetch(this.data.alive, { credentials: "same-origin", cache: "no-store" })
      .then(({ status }) => { if (status === 401) this.leave(); })
      .catch(() => { this.toldAt = 0; }); // no network: told again at the next use
  }

  look() {
    const left = this.data.seconds - (Date.now() - Number(localStorage.getItem(USED))) / 1000;
    if (left <= -2) this.leave(); // two seconds for clocks that do not agree
    else if (left > this.data.warned) this.dialog.hidden = true; // used in another tab
    else this.warn(Math.max(Math.ceil(left), 0));
  }

  warn(seconds) {
    this.dialog.querySelector("p").textContent = this.data.words.left.replace("{seconds}", seconds);
    if (!this.dialog.hidden) return;
    this.before = document.activeElement;
    this.dialog.hidden = false;
    this.dialog.querySelector("button").focus();
  }

  leave() { window.location.assign("/"); } // the server sends whoever is signed out to the sign-in
}
