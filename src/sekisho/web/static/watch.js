"use strict";

// Keeps parts of a page up to date: it asks for them by and by, and shows the page anew when that is over.
(() => {
  const EVERY_MS = 2_000;
  const watched = document.querySelector("[data-watch]");
  const shown = {};

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

  async function look() {
    try {
      const answer = await fetch(watched.dataset.watch, { headers: { Accept: "application/json" } });
      if (!answer.ok) return location.reload();
      const { parts, over } = await answer.json();
      if (over) return location.reload();
      for (const [name, html] of Object.entries(parts)) show(name, html);
    } catch {
      // Without a connection nothing is known; the next look says more.
    }
    setTimeout(look, EVERY_MS);
  }

  setTimeout(look, EVERY_MS);
})();
