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

  // A redirect was followed: go there. Otherwise the answer is the page to show.
  const show = (request, form) => {
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    const content = answer.querySelector("main");
    if (request.status < 400) window.location.assign(request.responseURL);
    else if (content) document.querySelector("main").replaceWith(content);
    else say(form, "The upload was not accepted. Try again, or choose another file.");
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
