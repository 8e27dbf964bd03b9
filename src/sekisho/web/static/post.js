// Looks every two seconds whether something has come.
const EVERY_MS = 2_000;
const trays = document.getElementById("trays");

async function look() {
  try {
    const answer = await fetch("/messages");
    const html = answer.ok ? await answer.text() : trays.innerHTML;
    // What a reader has selected is not replaced under their hand.
    if (html !== look.last && getSelection().isCollapsed) {
      look.last = html;
      trays.innerHTML = html;
    }
  } catch { /* the server has ended; the page stays as it is */ }
  setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
