// What makes the pages better where there is JavaScript: drag and drop, progress, live status, copying, local times, ticks that stay.
"use strict";
document.documentElement.classList.add("has-js");

document.addEventListener("DOMContentLoaded", () => {
  for (const time of document.querySelectorAll("time[datetime]")) time.title = new Date(time.dateTime).toLocaleString();
  copyButtons();
  ticks();
  uploadForm();
  liveStatus();
});

function copyButtons() {
  for (const button of document.querySelectorAll("button[data-copy]"))
    button.addEventListener("click", async () => {
      const area = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(area.value);
      } catch {
        area.select();
        document.execCommand("copy");
      }
      const label = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = label), 1500);
    });
}

function ticks() {
  for (const list of document.querySelectorAll("ol[data-steps]")) {
    const key = "steps-" + list.dataset.steps;
    let done = {};
    try { done = JSON.parse(localStorage.getItem(key)) || {}; } catch { /* nothing kept */ }
    for (const box of list.querySelectorAll("input[type=checkbox]")) {
      box.checked = Boolean(done[box.name]);
      box.addEventListener("change", () => {
        done[box.name] = box.checked;
        try { localStorage.setItem(key, JSON.stringify(done)); } catch { /* not kept */ }
      });
    }
  }
}

function uploadForm() {
  const form = document.getElementById("upload");
  if (!form) return;
  const drop = document.getElementById("drop"), input = document.getElementById("files"), chosen = document.getElementById("chosen");
  const progress = document.getElementById("progress"), status = document.getElementById("status"), send = document.getElementById("send");
  const show = () => chosen.replaceChildren(...Array.from(input.files, (file) => Object.assign(document.createElement("li"), { textContent: file.name })));
  input.addEventListener("change", show);
  for (const name of ["dragenter", "dragover"])
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    show();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/dumps");
    request.responseType = "json";
    request.upload.addEventListener("progress", (e) => { if (e.lengthComputable) progress.value = e.loaded / e.total; });
    request.addEventListener("load", () => {
      if (request.response && request.response.id) {
        location.assign("/uploads/" + request.response.id);
        return;
      }
      fail((request.response && (request.response.detail || request.response.title)) || "The server answered " + request.status + ".");
    });
    request.addEventListener("error", () => fail("The upload broke off. Is it larger than the server takes?"));
    const fail = (text) => {
      status.textContent = text;
      progress.hidden = true;
      send.disabled = false;
    };
    status.textContent = "Sending…";
    progress.hidden = false;
    send.disabled = true;
    request.send(new FormData(form));
  });
}

function liveStatus() {
  const live = document.querySelector("#live.busy");
  if (!live) return;
  const events = new EventSource("/api/v1/uploads/" + live.dataset.upload + "/events");
  events.addEventListener("status", (event) => {
    const upload = JSON.parse(event.data);
    live.textContent = upload.waiting || upload.state + (upload.crash_count ? ", " + upload.crash_count + " so far" : "");
    if (upload.state !== "done" && upload.state !== "failed") return;
    events.close();
    location.reload();
  });
}
