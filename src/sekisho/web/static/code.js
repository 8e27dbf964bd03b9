// Tells how long a code took to be written: somebody who is read a code by telephone writes it otherwise than
// somebody who has it before their eyes, or whose browser fills it in.
for (const form of document.querySelectorAll("form[data-code]")) {
  let first = 0;
  let last = 0;
  form.elements.code.addEventListener("input", () => {
    last = performance.now();
    first ||= last;
  });
  form.addEventListener("submit", () => {
    if (first) form.elements.filled_in_ms.value = String(Math.min(9_999_999, Math.round(last - first)));
  });
}
