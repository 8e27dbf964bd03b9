"use strict";

// Keeps parts of a page up to date: it asks for them by and by, and shows the page anew when that is over.
(() => {
  const EVERY_MS = 2_000;
  const watched = document.querySelector("[data-watch]");
  const lost = document.getElementById("lost");
  const said = document.getElementById("said");
  const shown = {};
  let last = document.querySelector("h1").textContent;

  // What somebody has focused or selected is left alone until they are done with it.
  function inUse(part) {
    const selection = getSelection();
    const focused = part !== document.activeElement && part.contains(document.activeElement);
    return focused || (!selection.isCollapsed && part.contains(selection.anchorNode));
  }

  function show(name, html) {
    const part = document.getElementById(name);
    if (shown[name] === html || inUse(part)) return;
    part.innerHTML = html;
    shown[name] = html;
  }

  // Figures change all the time; only a turn of the whole state is worth a reader's ear and the tab's title.
  function say(state) {
    if (state === last) return;
    said.textContent = state;
    document.title = document.title.replace(last, state);
    last = state;
  }

  async function look() {
    try {
      const answer = await fetch(watched.dataset.watch, { headers: { Accept: "application/json" } });
      if (!answer.ok) return location.reload();
      const told = await answer.json();
      if (told.over) return location.reload();
      for (const [name, html] of Object.entries(told.parts)) show(name, html);
      if (said) say(told.said);
      if (lost) lost.hidden = true;
    } catch {
      // Without a connection nothing is known: what is shown is of before, and the next look says more.
      if (lost) lost.hidden = false;
    }
    setTimeout(look, EVERY_MS);
  }

  setTimeout(look, EVERY_MS);
})();
