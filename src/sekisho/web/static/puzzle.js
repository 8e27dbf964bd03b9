// Solves the small puzzle that everybody gets whom we do not know yet, and hands the answer in unseen.
// The button of the same form does without it: it asks for the code once more.
const AT_ONCE = 256;
const form = document.getElementById("puzzle");
const encoder = new TextEncoder();

async function zeroBits(text) {
  const digest = new DataView(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
  return Math.clz32(digest.getUint32(0));
}

async function solve(challenge, bits) {
  for (let start = 0; ; start += AT_ONCE) {
    const tries = Array.from({ length: AT_ONCE }, (_, index) => zeroBits(`${challenge}:${start + index}`));
    const found = (await Promise.all(tries)).findIndex((zeros) => zeros >= bits);
    if (found >= 0) return String(start + found);
  }
}

async function handIn() {
  const { puzzle, bits, token } = form.dataset;
  const solution = await solve(puzzle, Number(bits));
  const body = new URLSearchParams({ form: token, step: form.elements.step.value, solution });
  await fetch("/login/code/puzzle", { method: "POST", body });
}

if (form && window.crypto?.subtle) handIn().catch(() => {});
