// form[data-upload]: sends the chosen file to that address in chunks, after the tus
// protocol, so that it can be paused, and continued after a broken connection or a
// closed page. Files that the page lists as [data-unfinished] go on where they stopped.
// Without JavaScript the form posts as any other, for smaller files.
(() => {
  "use strict";

  const TUS = "1.0.0";
  const CHUNK_TYPE = "application/offset+octet-stream";
  const WAITS = [1, 2, 4, 8, 15]; // seconds before the next try
  const TRY_AGAIN = [429, 460, 500, 502, 503, 504];
  const SPEED_MS = 8000; // how far back the speed looks

  class Stop extends Error {} // with a sentence for the person; the upload can go on
  class Paused extends Error {}

  const size = (bytes) => {
    const units = ["bytes", "KB", "MB", "GB", "TB"];
    const power = bytes < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10));
    const value = bytes / 1024 ** power;
    return `${power && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
  };

  const time = (seconds) => {
    if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
    if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
    return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
  };

  const sleep = (ms) => new Promise((done) => window.setTimeout(done, ms));

  const base64 = (bytes) => window.btoa(String.fromCharCode(...new Uint8Array(bytes)));

  const metadata = (values) =>
    Object.entries(values)
      .filter(([, value]) => value !== "")
      .map(([key, value]) => `${key} ${base64(new TextEncoder().encode(value))}`)
      .join(",");

  const sentence = (answer, otherwise) => {
    try {
      const { message, fields } = JSON.parse(answer.responseText);
      const named = Object.values(fields ?? {}).filter((text) => text !== message);
      return [message, ...named].join(" ");
    } catch {
      return otherwise;
    }
  };

  // One form, one file on its way.
  class Upload {
    constructor(form) {
      this.form = form;
      this.token = form.querySelector("[name=csrfmiddlewaretoken]").value;
      this.chunkBytes = Number(form.dataset.chunkBytes);
      for (const name of ["status", "text", "bar", "figures", "said", "pause", "cancel"]) {
        this[name] = form.querySelector(`[data-upload-${name}]`);
      }
      this.progress = this.bar.querySelector("progress");
      this.pause.addEventListener("click", () => (this.running ? this.halt() : this.go()));
      this.cancel.addEventListener("click", () => this.giveUp());
      this.file = null;
      this.running = false;
    }

    // --- What the person does ---

    async begin(file) {
      if (this.running) return;
      const limit = Number(this.form.dataset.limitBytes);
      if (file.size > limit) {
        this.say(`${file.name} has ${size(file.size)}; the limit is ${size(limit)}. Choose a smaller file.`);
        return;
      }
      this.file = file;
      this.values = this.texts(); // before it is locked
      this.address = this.unfinished(file)?.dataset.unfinished ?? null;
      await this.go();
    }

    async go() {
      this.running = true;
      this.failures = 0;
      this.marks = [];
      this.tell("");
      this.lock(true);
      this.label("Pause");
      try {
        this.offset = this.address ? await this.ask() : await this.start();
        this.announced = Math.floor((10 * this.offset) / this.file.size);
        this.draw(0);
        while (this.offset < this.file.size) await this.sendChunk();
        await this.complete();
      } catch (error) {
        this.running = false;
        this.lock(Boolean(this.address));
        if (error instanceof Paused) this.tell("Paused. What was sent is kept.", "Paused");
        else if (error instanceof Stop) this.tell(error.message, "The upload has stopped");
        else throw error;
        this.label("Resume");
      }
    }

    halt() {
      this.running = false;
      this.request?.abort();
    }

    async giveUp() {
      this.halt();
      if (this.address) await this.once("DELETE", this.address).catch(() => null);
      window.location.reload();
    }

    // --- What the portal is asked ---

    async start() {
      const answer = await this.once("POST", this.form.dataset.upload, {
        "Upload-Length": this.file.size,
        "Upload-Metadata": metadata({
          ...this.values,
          filename: this.file.name,
          lastmodified: String(this.file.lastModified),
        }),
      }).catch(() => null);
      if (answer?.status !== 201) {
        this.lock(false);
        if (answer) this.refuse(answer);
        throw new Stop(answer ? sentence(answer, this.unexpected(answer)) : "The portal cannot be reached. Nothing was sent; try again.");
      }
      this.address = answer.getResponseHeader("Location");
      return 0;
    }

    async ask() {
      const answer = await this.trying("HEAD", this.address);
      const offset = answer.getResponseHeader("Upload-Offset");
      if (answer.status !== 200) throw new Stop(this.unexpected(answer));
      if (offset !== null) return Number(offset);
      this.address = null;
      throw new Stop("This upload was cancelled or waited too long. Upload the file anew.");
    }

    async sendChunk() {
      const chunk = this.file.slice(this.offset, this.offset + this.chunkBytes);
      const headers = { "Content-Type": CHUNK_TYPE, "Upload-Offset": this.offset, ...(await this.checksum(chunk)) };
      const answer = await this.trying("PATCH", this.address, headers, chunk);
      const offset = answer.getResponseHeader("Upload-Offset");
      if (answer.status !== 204 && !(answer.status === 409 && offset !== null)) {
        throw new Stop(sentence(answer, this.unexpected(answer)));
      }
      // Another page sends the same file: let it go ahead a little.
      if (answer.status === 409) await this.fail("Another page is sending this file.");
      else this.failures = 0;
      this.offset = Number(offset);
      this.draw(0);
    }

    async complete() {
      this.tell("Sent. The portal is checking and storing the file …", "Sent; the portal is storing the file");
      this.pause.hidden = true;
      const answer = await this.trying("POST", `${this.address}/complete`);
      if (answer.status === 202) return this.leave(answer);
      // An earlier try may have done it, with its answer lost on the way.
      const told = await this.trying("GET", this.address);
      if (told.status === 200 && JSON.parse(told.responseText).state === "complete") return this.leave(told);
      this.pause.hidden = false;
      const text = sentence(answer, this.unexpected(answer));
      // Nothing will make this content acceptable.
      if (answer.status === 422) await this.drop();
      throw new Stop(text);
    }

    leave(answer) {
      this.running = false;
      window.location.assign(JSON.parse(answer.responseText).page_url);
    }

    async drop() {
      await this.once("DELETE", this.address).catch(() => null);
      this.address = null;
      this.bar.hidden = true;
    }

    async checksum(chunk) {
      if (!window.crypto.subtle) return {}; // only where the connection is secure
      try {
        const digest = await window.crypto.subtle.digest("SHA-256", await chunk.arrayBuffer());
        return { "Upload-Checksum": `sha256 ${base64(digest)}` };
      } catch {
        throw new Stop(`${this.file.name} cannot be read any more: it was changed or moved. Cancel the upload and choose it again.`);
      }
    }

    // Ask again after a broken connection or a server in trouble, a few times.
    async trying(method, address, headers = {}, body = null) {
      for (;;) {
        if (!this.running) throw new Paused();
        const answer = await this.once(method, address, headers, body).catch((error) => {
          if (error instanceof Paused) throw error;
          return null;
        });
        if (answer && !TRY_AGAIN.includes(answer.status)) {
          if (this.failures) this.tell("");
          return answer;
        }
        await this.fail(answer ? "The portal has trouble answering." : "The connection broke.");
      }
    }

    async fail(reason) {
      const wait = WAITS[this.failures];
      this.failures += 1;
      if (!wait) throw new Stop(`${reason} What was sent is kept; press Resume to go on.`);
      if (reason) this.tell(`${reason} Trying again in ${wait} s.`);
      for (let ms = 0; ms < wait * 1000; ms += 100) {
        if (!this.running) throw new Paused();
        await sleep(100);
      }
    }

    once(method, address, headers = {}, body = null) {
      return new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        this.request = request;
        request.open(method, address);
        const all = { "Tus-Resumable": TUS, "X-CSRFToken": this.token, ...headers };
        Object.entries(all).forEach(([name, value]) => request.setRequestHeader(name, value));
        request.upload.onprogress = (event) => body && this.draw(event.loaded);
        request.onload = () => resolve(request);
        request.onerror = () => reject(new Error("broken"));
        request.onabort = () => reject(new Paused());
        request.send(body);
      });
    }

    // --- What the person sees and hears ---

    // What goes on puts the same rows aside as what was begun.
    unfinished(file) {
      const { seal_method: method, seal_ratio: ratio, seal_column: column, seal_seed: seed } = this.texts();
      const seal = method ? [method, Number(ratio || 0.2), column, Number(seed || 0)].join("|") : "";
      return [...document.querySelectorAll("[data-unfinished]")].find(
        ({ dataset }) =>
          dataset.name === file.name &&
          Number(dataset.size) === file.size &&
          dataset.seal === seal &&
          (!dataset.modified || Number(dataset.modified) === file.lastModified),
      );
    }

    texts() {
      const all = [...new FormData(this.form)];
      return Object.fromEntries(all.filter(([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken"));
    }

    // Name the fields at fault where they stand.
    refuse(answer) {
      let fields = {};
      try {
        fields = JSON.parse(answer.responseText).fields ?? {};
      } catch {
        return;
      }
      for (const field of this.form.elements) {
        if (field.name in fields) field.setAttribute("aria-invalid", "true");
        else field.removeAttribute("aria-invalid");
      }
      this.form.querySelector("[aria-invalid]")?.focus();
    }

    unexpected(answer) {
      if (answer.status === 401 || answer.status === 403) return "You are no longer signed in. Sign in on another page, then press Resume.";
      return "The portal did not answer as it should. What was sent is kept; press Resume, or choose the file again.";
    }

    lock(yes) {
      this.bar.hidden = !yes;
      this.form.querySelector(".form__buttons").hidden = yes;
      for (const field of this.form.elements) {
        if (!this.status.contains(field) && field.type !== "hidden") field.disabled = yes;
      }
      if (yes) this.status.hidden = false;
    }

    label(text) {
      this.pause.hidden = false;
      this.pause.textContent = text;
    }

    say(text) {
      this.bar.hidden = true;
      this.tell(text);
    }

    tell(text, said = "") {
      this.status.hidden = false;
      this.text.textContent = text;
      this.text.hidden = !text;
      if (said) this.said.textContent = said;
    }

    draw(more) {
      const sent = Math.min(this.offset + more, this.file.size);
      const now = performance.now();
      this.marks = [...this.marks.filter(([at]) => now - at < SPEED_MS), [now, sent]];
      const [[then, before]] = this.marks;
      const speed = now - then > 500 ? ((sent - before) / (now - then)) * 1000 : 0;
      const rest = speed > 0 ? ` · ${size(speed)}/s · ${time((this.file.size - sent) / speed)} left` : "";
      this.progress.value = sent / this.file.size;
      this.figures.textContent = `${this.file.name}: ${size(sent)} of ${size(this.file.size)}${rest}`;
      // Heard at every tenth, so that the voice does not chase the bytes.
      const tenth = Math.floor((10 * sent) / this.file.size);
      if (tenth > this.announced) {
        this.announced = tenth;
        this.said.textContent = `${tenth * 10} % sent`;
      }
    }
  }

  const uploads = new WeakMap();
  const uploadOf = (form) => {
    if (!uploads.has(form)) uploads.set(form, new Upload(form));
    return uploads.get(form);
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-upload]") || event.defaultPrevented) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const file = form.querySelector("input[type=file]").files[0];
    if (file) uploadOf(form).begin(file);
    else uploadOf(form).say("Choose a file first.");
  });

  // Say at once that a chosen file goes on where it stopped.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-upload]");
    if (!form || event.target.type !== "file") return;
    const file = event.target.files[0];
    const known = file && uploadOf(form).unfinished(file);
    if (known) uploadOf(form).say(`${size(Number(known.dataset.received))} of this file were sent already, for ${known.dataset.dataset}. Upload goes on from there.`);
  });
})();
