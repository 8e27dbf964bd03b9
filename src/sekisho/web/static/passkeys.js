// Passkeys. A form marked data-passkey fetches the options of its ceremony; the browser's answer goes into the
// form's hidden fields, and the form is sent like any other, so that every answer is an ordinary page.
const RENEW_MS = 4 * 60_000; // a ceremony lasts five minutes
const able = typeof window.PublicKeyCredential?.parseRequestOptionsFromJSON === "function";

function begin(form) {
  const create = form.dataset.passkey === "create";
  const button = form.querySelector("button");
  const failure = form.querySelector("[data-failure]");
  let waiting = new AbortController();

  async function ask(mediation) {
    waiting.abort();
    const { signal } = (waiting = new AbortController());
    const answer = await fetch(form.dataset.options, { signal, headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`options: ${answer.status}`);
    const { ceremony, options } = await answer.json();
    const request = create
      ? { publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options), signal }
      : { publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), signal };
    if (mediation) request.mediation = mediation;
    const credential = await (create ? navigator.credentials.create(request) : navigator.credentials.get(request));
    form.elements.ceremony.value = ceremony;
    form.elements.credential.value = JSON.stringify(credential);
    button.disabled = true;
    form.submit();
  }

  // Passkeys stand among what the browser offers in the field for the name, until one is chosen.
  async function offer() {
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    const renew = setTimeout(offer, RENEW_MS);
    await ask("conditional").catch((error) => { if (error.name !== "AbortError") clearTimeout(renew); });
  }

  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    failure.hidden = true;
    ask().catch((error) => { if (error.name !== "AbortError") failure.hidden = false; });
  });
  if ("conditional" in form.dataset) offer();
}

// Tells the passkey manager which passkeys still work here, so that it offers no other.
function signal(element) {
  const { unknown, accepted, details } = JSON.parse(element.dataset.passkeySignal);
  if (unknown) PublicKeyCredential.signalUnknownCredential?.(unknown).catch(() => {});
  if (accepted) PublicKeyCredential.signalAllAcceptedCredentials?.(accepted).catch(() => {});
  if (details) PublicKeyCredential.signalCurrentUserDetails?.(details).catch(() => {});
}

if (able) {
  document.querySelectorAll("form[data-passkey]").forEach(begin);
  document.querySelectorAll("[data-passkey-signal]").forEach(signal);
} else {
  document.querySelectorAll("[data-without-passkeys]").forEach((element) => { element.hidden = false; });
}
