const MARK = "X-Trialimg-Upload";
const instances = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  let instance = instances.get(parentElement);
  if (!instance) {
    instance = new Uploader(parentElement.querySelector(".uploader"));
    instances.set(parentElement, instance);
  }
  instance.update(data, setTriggerValue);
}

class Uploader {
  constructor(root) {
    this.root = root;
    this.queue = [];
    this.isSending = false;
    this.leaving = (event) => event.preventDefault();
    for (const name of ["choose-files", "choose-folder"]) {
      const input = this.part(name);
      input.addEventListener("change", () => {
        this.add([...input.files]);
        input.value = "";
      });
    }
    root.addEventListener("dragover", (event) => {
      event.preventDefault();
      root.classList.add("over");
    });
    root.addEventListener("dragleave", () => root.classList.remove("over"));
    root.addEventListener("drop", async (event) => {
      event.preventDefault();
      root.classList.remove("over");
      const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
      const found = await Promise.all(entries.map(filesBelow));
      this.add(found.flat());
    });
  }

  part(name) {
    return this.root.querySelector(`.${name}`);
  }

  update({ address, words }, setTriggerValue) {
    if (address !== this.address) {
      this.part("state").textContent = "";
      this.part("refusals").replaceChildren();
    }
    Object.assign(this, { address, words, setTriggerValue });
    this.part("hint").textContent = words.drop;
    this.part("files").textContent = words.files;
    this.part("folder").textContent = words.folder;
  }

  add(files) {
    this.queue.push(...files.map((file) => ({ file, address: this.address })));
    this.total = (this.isSending ? this.total : 0) + files.length;
    if (!this.isSending && this.queue.length) this.sendAll();
  }

  async sendAll() {
    this.isSending = true;
    this.taken = this.refused = this.done = 0;
    this.part("refusals").replaceChildren();
    window.addEventListener("beforeunload", this.leaving);
    const bar = this.root.querySelector("progress");
    bar.hidden = false;
    while (this.queue.length) {
      const { file, address } = this.queue.shift();
      try {
        const { files } = await send(address, file, (part) => this.show(part));
        files.forEach((one) => this.note(one));
      } catch (fault) {
        this.note({ name: file.name, is_accepted: false, because: fault.message || this.words.failed });
        if (fault.isFinal) this.queue.length = 0;
      }
      this.done += 1;
      this.show(0);
    }
    window.removeEventListener("beforeunload", this.leaving);
    bar.hidden = true;
    this.isSending = false;
    this.setTriggerValue("sent", Date.now());
  }

  note(one) {
    if (one.is_accepted) {
      this.taken += 1;
      return;
    }
    this.refused += 1;
    const line = document.createElement("li");
    line.textContent = `${one.name}: ${one.because}`;
    this.part("refusals").append(line);
  }

  show(part) {
    const { words } = this;
    const bar = this.root.querySelector("progress");
    bar.max = this.total;
    bar.value = this.done + part;
    const left = this.queue.length || this.done < this.total ? `${words.sending} ${this.done} / ${this.total} · ` : "";
    this.part("state").textContent = `${left}${words.taken} ${this.taken} · ${words.refused} ${this.refused}`;
  }
}

function send(address, file, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.setRequestHeader(MARK, encodeURIComponent(file.webkitRelativePath || file.name));
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = () => reject(new Error(""));
    request.onload = () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // an answer of somebody between us and the server
      }
      if (request.status === 200) return resolve(answer);
      const fault = new Error(answer.detail ?? `${request.status}`);
      fault.isFinal = [401, 403, 409].includes(request.status);
      return reject(fault);
    };
    request.send(file);
  });
}

async function filesBelow(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return found;
    found.push(...(await Promise.all(part.map(filesBelow))).flat());
  }
}
