// How long something can still be undone with one press; then the button goes.

const TICK_MS = 500;

export function countDown(place) {
  setInterval(() => {
    for (const form of place.querySelectorAll("[data-undo]")) tick(form);
  }, TICK_MS);
}

function tick(form) {
  form.dataset.since ??= Date.now();
  const left = Math.ceil(Number(form.dataset.seconds) - (Date.now() - form.dataset.since) / 1000);
  if (left <= 0 && !form.dataset.sending) {
    form.closest("[data-done-strip]").remove();
    return;
  }
  form.querySelector("[data-left]").textContent = Math.max(0, left).toLocaleString(
    document.documentElement.lang === "fa" ? "fa" : "en",
  );
}
