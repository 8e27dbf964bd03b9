// Solves the small puzzle that everybody gets whom we do not know yet, and hands the answer in unseen.
// The button of the same form does without it: it asks for the code once more.
const form = document.getElementById("puzzle");

async function solve(name, bits) {
  const encoder = new TextEncoder();
  for (let number = 0; ; number += 1) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(`${name}:${number}`)));
    const head = (digest[0] << 24 | digest[1] << 16 | digest[2] << 8 | digest[3]) >>> 0;
    if (bits === 0 || head >>> (32 - bits) === 0) return String(number);
  }
}

if (form && window.crypto?.subtle) {
  solve(form.dataset.puzzle, Number(form.dataset.bits)).then((solution) => {
    const fields = new URLSearchParams(new FormData(form));
    fields.set("solution", solution);
    return fetch("/login/code/puzzle", { method: "POST", body: fields });
  }).catch(() => {});
}
