// Passkeys. A form marked data-passkey holds the options of its ceremony; the browser's answer goes into the
// form's hidden field, and the form is sent like any other, so that every answer is an ordinary page.
const decode = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const encode = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const listed = (list) => (list ?? []).map((known) => ({ ...known, id: decode(known.id) }));

function forCreate(options) {
  return {
    ...options,
    challenge: decode(options.challenge),
    user: { ...options.user, id: decode(options.user.id) },
    excludeCredentials: listed(options.excludeCredentials),
  };
}

function forGet(options) {
  return { ...options, challenge: decode(options.challenge), allowCredentials: listed(options.allowCredentials) };
}

function written(credential) {
  const { response } = credential;
  const parts = response.attestationObject
    ? { attestationObject: encode(response.attestationObject), transports: response.getTransports?.() ?? [] }
    : {
        authenticatorData: encode(response.authenticatorData),
        signature: encode(response.signature),
        userHandle: response.userHandle ? encode(response.userHandle) : null,
      };
  return JSON.stringify({
    id: credential.id,
    rawId: encode(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? null,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { clientDataJSON: encode(response.clientDataJSON), ...parts },
  });
}

function begin(form) {
  const options = JSON.parse(form.dataset.options);
  const create = form.dataset.passkey === "create";
  const button = form.querySelector("button");
  const failure = form.querySelector("[data-failure]");
  let waiting = new AbortController();

  async function ask(mediation) {
    waiting.abort();
    waiting = new AbortController();
    const request = { publicKey: create ? forCreate(options) : forGet(options), signal: waiting.signal };
    if (mediation) request.mediation = mediation;
    const credential = await (create ? navigator.credentials.create(request) : navigator.credentials.get(request));
    form.elements.credential.value = written(credential);
    button.disabled = true;
    form.submit();
  }

  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    failure.hidden = true;
    ask().catch((error) => { if (error.name !== "AbortError") failure.hidden = false; });
  });
  if ("conditional" in form.dataset) {
    PublicKeyCredential.isConditionalMediationAvailable?.().then((can) => can && ask("conditional")).catch(() => {});
  }
}

// Tells the passkey manager which passkeys still work, so that it offers no other.
async function signal(element) {
  const told = JSON.parse(element.dataset.passkeySignal);
  await PublicKeyCredential.signalAllAcceptedCredentials?.(told.accepted).catch(() => {});
  if (told.user) await PublicKeyCredential.signalCurrentUserDetails?.(told.user).catch(() => {});
}

if (window.PublicKeyCredential) {
  document.querySelectorAll("form[data-passkey]").forEach(begin);
  document.querySelectorAll("[data-passkey-signal]").forEach(signal);
  document.querySelectorAll("[data-without-passkeys]").forEach((element) => { element.hidden = true; });
}
