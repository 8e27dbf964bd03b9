// Looks how far something has come that goes on elsewhere, and shows the page anew once it has moved on.
const EVERY_MS = 2_000;
const followed = document.querySelector("[data-follow]");

async function look() {
  try {
    const answer = await fetch(followed.dataset.follow, { headers: { Accept: "application/json" } });
    if (!answer.ok || (await answer.json()).state !== followed.dataset.state) return location.reload();
  } catch {
    // Without a connection nothing is known; the next look says more.
  }
  setTimeout(look, EVERY_MS);
}

if (followed) setTimeout(look, EVERY_MS);
