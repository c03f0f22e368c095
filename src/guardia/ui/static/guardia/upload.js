// The drop zone: each file goes up on its own, with progress, as soon as it is chosen; the form then names it.
// Without this script the same form sends the files itself.
"use strict";

function sizeText(octets) {
  const units = ["bytes", "kB", "MB", "GB"];
  let unit = 0;
  let amount = octets;
  while (amount >= 1024 && unit < units.length - 1) { amount /= 1024; unit += 1; }
  const places = unit === 0 || Number.isInteger(amount) ? 0 : 1;
  const number = amount.toLocaleString(document.documentElement.lang, { minimumFractionDigits: places, maximumFractionDigits: places });
  return `${number}\u00a0${units[unit]}`;
}

function timeText(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  return whole < 60 ? `${whole}\u00a0s` : `${Math.ceil(whole / 60)}\u00a0min`;
}

function element(tag, classes, text = "") {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  made.textContent = text;
  return made;
}

function icon(sprite, name, classes) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `icon ${classes}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

function hidden(name, value) {
  const input = element("input");
  input.type = "hidden";
  input.name = name;
  input.value = value;
  return input;
}

class Upload {
  constructor(zone, file) {
    this.zone = zone;
    this.say = zone.root.dataset;
    this.file = file;
    this.pending = false;
    this.row = element("div", "g-file");
    this.name = element("b", "g-strong", file.name);
    this.note = element("span", "g-faint g-small");
    const words = element("div", "g-trunc");
    words.append(this.name, " ", this.note);
    this.button = element("button", "btn btn-link btn-sm");
    this.button.type = "button";
    this.button.addEventListener("click", () => this.remove());
    this.row.append(icon(this.say.sprite, "clock", "i-faint"), words, this.button);
    zone.list.append(this.row);
    this.begin();
  }

  begin() {
    if (this.file.size === 0) return this.refuse(this.say.sayEmpty);
    const limit = Number(this.say.limit);
    if (limit && this.file.size > limit) return this.refuse(this.say.sayLarge.replace("{limit}", sizeText(limit)));
    this.pending = true;
    this.note.textContent = `${sizeText(this.file.size)} · ${this.say.sayWaiting}`;
    this.button.textContent = this.say.sayCancel;
    this.progress = element("progress", "g-progress mt-1");
    this.progress.max = 100;
    this.progress.value = 0;
    this.row.append(this.progress);
    this.zone.queue.push(this);
    return this.zone.next();
  }

  send() {
    this.startedAt = performance.now();
    this.mark("loader-2", "i-accent g-spin");
    this.request = new XMLHttpRequest();
    this.request.open("POST", this.say.drop);
    this.request.setRequestHeader("X-Filename", encodeURIComponent(this.file.name));
    this.request.setRequestHeader("X-CSRFToken", this.zone.token());
    this.request.setRequestHeader("Content-Type", "application/octet-stream");
    this.request.upload.addEventListener("progress", (event) => this.advance(event.loaded));
    this.request.addEventListener("load", () => this.answered());
    this.request.addEventListener("error", () => this.refuse(this.say.sayLost));
    this.request.addEventListener("loadend", () => this.zone.finished(this));
    this.request.send(this.file);
  }

  advance(loaded) {
    const share = Math.min(100, (100 * loaded) / this.file.size);
    const seconds = (performance.now() - this.startedAt) / 1000;
    this.progress.value = share;
    this.progress.setAttribute("aria-label", `${this.file.name}, ${Math.round(share)} % ${this.say.sayUploaded}`);
    this.note.textContent = this.say.sayLeft
      .replace("{done}", sizeText(loaded))
      .replace("{total}", sizeText(this.file.size))
      .replace("{time}", timeText((seconds / Math.max(loaded, 1)) * (this.file.size - loaded)));
  }

  answered() {
    let said = {};
    try { said = JSON.parse(this.request.responseText); } catch { said = {}; }
    if (this.request.status !== 201) return this.refuse(said.detail || said.title || this.say.sayLost);
    this.progress.remove();
    this.mark("circle-check", "i-good");
    this.name.textContent = said.filename;
    this.note.textContent = `${sizeText(said.size)} · ${this.say.saySealed}`;
    this.button.textContent = this.say.sayRemove;
    const kept = JSON.stringify({ filename: said.filename, size: said.size, sha256: said.sha256 });
    this.row.append(
      element("div", "g-xs g-mono g-faint g-wrap-any", `sha256 ${said.sha256}`),
      hidden("upload", said.id),
      hidden(`upload-${said.id}`, kept),
    );
    return undefined;
  }

  refuse(sentence) {
    this.progress?.remove();
    this.mark("alert-triangle", "i-crit");
    this.note.textContent = sizeText(this.file.size);
    this.button.textContent = this.say.sayRemove;
    this.row.append(element("div", "g-small text-crit", sentence));
  }

  mark(name, classes) {
    this.row.querySelector(".icon").replaceWith(icon(this.say.sprite, name, classes));
  }

  remove() {
    this.request?.abort();
    this.row.remove();
    this.zone.finished(this);
  }
}

class DropZone {
  constructor(root) {
    this.root = root;
    this.form = root.closest("form");
    this.list = root.querySelector(".g-files");
    this.queue = [];
    this.sending = null;
    this.sendFormWhenDone = false;
    const input = root.querySelector("input[type=file]");
    const label = root.querySelector(".g-drop");
    input.addEventListener("change", () => { this.take(input.files); input.value = ""; });
    for (const kind of ["dragenter", "dragover"]) {
      label.addEventListener(kind, (event) => { event.preventDefault(); label.classList.add("is-over"); });
    }
    for (const kind of ["dragleave", "drop"]) label.addEventListener(kind, () => label.classList.remove("is-over"));
    label.addEventListener("drop", (event) => { event.preventDefault(); this.take(event.dataTransfer.files); });
    this.list.addEventListener("click", (event) => event.target.closest("[data-remove]")?.closest(".g-file").remove());
    this.form.addEventListener("submit", (event) => this.hold(event));
  }

  token() {
    return this.form.querySelector("[name=csrfmiddlewaretoken]").value;
  }

  take(files) {
    for (const file of files) new Upload(this, file);
  }

  next() {
    if (this.sending || !this.queue.length) return;
    this.sending = this.queue.shift();
    this.sending.send();
  }

  finished(upload) {
    upload.pending = false;
    this.queue = this.queue.filter((other) => other !== upload);
    if (this.sending === upload) this.sending = null;
    this.next();
    if (!this.sending && this.sendFormWhenDone) this.form.requestSubmit(this.submitter);
  }

  hold(event) {
    if (!this.sending && !this.queue.length) return;
    event.preventDefault();
    this.submitter = event.submitter;
    if (this.sendFormWhenDone) return;
    this.sendFormWhenDone = true;
    const note = element("p", "g-small g-muted mb-0", this.root.dataset.saySending);
    note.setAttribute("role", "status");
    this.root.append(note);
  }
}

for (const root of document.querySelectorAll("[data-drop]")) new DropZone(root);
