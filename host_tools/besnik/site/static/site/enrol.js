// The enrolment form. What a cashier has typed is never lost to the next tap: a form that was
// touched stays until it is sent or discarded, and only then makes way for the newest card.

const TIMEOUT_MS = 20_000;

export class Enrolment {
  #place;
  #next = null; // the form of the newest tap, while an older one is being filled in
  #shown = {}; // dataset of the board on the screen

  constructor(place) {
    this.#place = place;
    this.#shown = { tap: this.#form?.dataset.tap };
    place.addEventListener("submit", (event) => this.#send(event));
    place.addEventListener("click", (event) => {
      if (event.target.closest("[data-discard]")) this.#makeWay();
    });
  }

  // Take the newest board: its dataset and, for a new card, its form (a fragment).
  follow(board, form) {
    this.#shown = board;
    const current = this.#form;
    const isSame = current?.dataset.tap === board.tap;
    if (isSame && form) return;
    if (current && !isSame && isTouched(current)) {
      this.#next = form ?? null;
      current.querySelector("[data-kept]").hidden = !form;
      return;
    }
    this.#show(form);
  }

  get #form() {
    return this.#place.querySelector("form");
  }

  #show(fragment) {
    this.#next = null;
    this.#place.replaceChildren(...(fragment ? [fragment] : []));
    if (fragment && document.activeElement === document.body) this.#focusName();
  }

  #focusName() {
    this.#form?.elements.name.focus({ preventScroll: true });
  }

  #makeWay() {
    this.#show(this.#next);
  }

  async #send(event) {
    event.preventDefault();
    const form = event.target;
    if (form.dataset.sending) return;
    form.dataset.sending = "yes";
    form.ariaBusy = "true";
    form.querySelector("[data-failed]").hidden = true;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        headers: { "X-Requested-With": "fetch" },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (!answer.ok) throw new Error(answer.statusText);
      this.#receive(form, fragmentOf(await answer.text()));
    } catch {
      form.querySelector("[data-failed]").hidden = false;
    } finally {
      delete form.dataset.sending;
      form.ariaBusy = "false";
    }
  }

  // The form again, with what is wrong in it; or a line that says it is done.
  #receive(form, fragment) {
    if (!form.isConnected) return;
    if (fragment.querySelector("form")) {
      form.replaceWith(fragment);
      this.#form.dataset.touched = "yes";
      (this.#form.querySelector("[aria-invalid]") ?? this.#form.elements.name).focus();
    } else if (this.#next || form.dataset.tap === this.#shown.tap) {
      this.#makeWay();
    } else {
      this.#show(fragment);
    }
  }
}

function isTouched(form) {
  const language = form.querySelector("[name=language]:checked");
  const chosen = language ? !language.defaultChecked : false;
  return Boolean(form.dataset.touched || form.elements.name.value || chosen);
}

function fragmentOf(html) {
  const drawn = document.createElement("template");
  drawn.innerHTML = html;
  return drawn.content;
}
