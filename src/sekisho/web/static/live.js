"use strict";

// Keeps the page up to date: one EventSource, parts of HTML by id, and the timeline's newest seconds.
(() => {
  const timeline = new SekishoTimeline(document.getElementById("chart"));
  const link = document.getElementById("link");
  const words = document.getElementById("link-words");
  const said = document.getElementById("said");
  const pause = document.getElementById("pause");
  const language = document.documentElement.lang;
  const waiting = { parts: {}, seconds: [], push: null };
  let paused = false;

  function tell(state) {
    if (link.dataset.state === state) return;
    link.dataset.state = state;
    link.classList.toggle("connected", state === "connected");
    words.textContent = link.dataset[state];
  }

  // What somebody has focused or selected is left alone until they are done with it.
  function inUse(part) {
    const selection = getSelection();
    const focused = part !== document.activeElement && part.contains(document.activeElement);
    return focused || (!selection.isCollapsed && part.contains(selection.anchorNode));
  }

  function apply() {
    for (const [name, html] of Object.entries(waiting.parts)) {
      const part = document.getElementById(name);
      if (inUse(part)) continue;
      part.innerHTML = html;
      delete waiting.parts[name];
    }
    turn(waiting.push.state);
    timeline.show(waiting.push.now, waiting.seconds, waiting.push.campaigns);
    waiting.seconds = [];
  }

  // Figures change every second; only a turn of the whole state is worth a reader's ear and the tab's title.
  function turn(state) {
    if (document.documentElement.dataset.state === state) return;
    document.documentElement.dataset.state = state;
    const title = document.querySelector("h1").textContent;
    document.title = `${title} · ${document.querySelector(".brand").textContent.trim()}`;
    said.textContent = title;
  }

  function receive(message) {
    const push = JSON.parse(message.data);
    Object.assign(waiting.parts, push.parts);
    waiting.seconds.push(...push.seconds);
    waiting.push = push;
    if (paused) return;
    tell("connected");
    apply();
  }

  function togglePause() {
    paused = !paused;
    pause.textContent = paused ? pause.dataset.resume : pause.dataset.pause;
    pause.setAttribute("aria-pressed", String(paused));
    tell(paused ? "paused" : "connected");
    if (!paused && waiting.push) apply();
  }

  const source = new EventSource(`/live?lang=${language}`);
  source.addEventListener("message", receive);
  source.addEventListener("error", () => tell("disconnected"));
  pause.addEventListener("click", togglePause);
  pause.hidden = false;
})();
