// The amount of a purchase: the pad of digits, and what it would earn while it is typed.

const PAUSE_MS = 120;

export class Amount {
  #till;
  #timer = 0;
  #asked = 0;

  constructor(till) {
    this.#till = till;
    till.addEventListener("input", (event) => {
      if (event.target.matches("[data-amount]")) this.#typed(event.target.form);
      if (event.target.matches("[name=tender]")) this.#typed(event.target.form);
    });
    till.addEventListener("click", (event) => this.#press(event));
  }

  get #field() {
    return this.#till.querySelector("[data-sell]:not([hidden]) [data-amount]");
  }

  // A digit that is typed anywhere else is meant for the amount.
  take(event) {
    const field = this.#field;
    if (!field || document.activeElement !== document.body) return;
    if (/^[\d۰-۹٠-٩]$/u.test(event.key)) field.focus({ preventScroll: true });
  }

  #press(event) {
    const digit = event.target.closest("[data-digit]")?.dataset.digit;
    const field = this.#field;
    if (!field || (!digit && !event.target.closest("[data-erase]"))) return;
    field.value = digit ? field.value + digit : field.value.slice(0, -1);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #typed(form) {
    // What was asked about one amount does not hold for another.
    form.querySelector("[name=sure]")?.remove();
    clearTimeout(this.#timer);
    if (form.dataset.preview) this.#timer = setTimeout(() => this.#preview(form), PAUSE_MS);
  }

  async #preview(form) {
    const place = form.querySelector("[data-preview-text]");
    const number = ++this.#asked;
    const { value } = form.elements.amount;
    const tender = form.querySelector("[name=tender]:checked")?.value ?? "";
    let said = { text: "", tone: "" };
    if (value.trim()) {
      try {
        const query = new URLSearchParams({ amount: value, tender, by: form.elements.by.value });
        const answer = await fetch(`${form.dataset.preview}?${query}`, {
          headers: { "X-Requested-With": "fetch" },
        });
        if (answer.ok) said = await answer.json();
      } catch {
        // Without a network there is no preview; sending says what is wrong.
      }
    }
    if (number !== this.#asked) return;
    place.textContent = said.text;
    place.dataset.tone = said.tone;
  }
}
