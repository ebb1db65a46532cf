// form[data-upload]: sends the form with a progress bar, refuses files above
// data-limit-bytes before sending. Without JavaScript the form posts as any other.
(() => {
  "use strict";

  const megabytes = (bytes) => `${Math.max(1, Math.round(bytes / 1048576))} MB`;

  const tooLarge = (form) => {
    const limit = Number(form.dataset.limitBytes);
    const files = [...form.querySelectorAll("input[type=file]")].flatMap((input) => [...input.files]);
    const file = files.find((candidate) => candidate.size > limit);
    return file && `${file.name} has ${megabytes(file.size)}; the limit is ${megabytes(limit)}. Choose a smaller file.`;
  };

  // Success names the next page; anything else brings a page or a sentence to show.
  const show = (request, form) => {
    const next = request.getResponseHeader("HX-Redirect");
    if (next || request.status < 400) {
      window.location.assign(next ?? request.responseURL);
      return;
    }
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    const page = answer.querySelector("main");
    const sentence = answer.querySelector(".usa-alert__text")?.textContent.trim();
    if (page) document.querySelector("main").replaceWith(page);
    else say(form, sentence ?? "The upload was not accepted. Try again, or choose another file.");
    document.querySelector("[data-error-summary]")?.focus();
  };

  const say = (form, sentence) => {
    const status = form.querySelector("[data-upload-status]");
    status.hidden = false;
    status.querySelector("[data-upload-text]").textContent = sentence;
    form.querySelectorAll("[data-once]").forEach((button) => (button.disabled = false));
  };

  const send = (form) => {
    const request = new XMLHttpRequest();
    const bar = form.querySelector("[data-upload-status] progress");
    say(form, "Sending the file …");
    form.querySelectorAll("[data-once]").forEach((button) => (button.disabled = true));
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
    };
    request.upload.onload = () => {
      form.querySelector("[data-upload-text]").textContent = "Sent. The portal is storing the file …";
    };
    request.onload = () => show(request, form);
    request.onerror = () => say(form, "The connection broke while sending. Nothing was stored; try again.");
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true"); // asks for HX-Redirect and short errors
    request.send(new FormData(form));
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-upload]") || event.defaultPrevented) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const objection = tooLarge(form);
    if (objection) say(form, objection);
    else send(form);
  });
})();
