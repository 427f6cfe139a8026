// Finding a member by name, phone or number, typed or scanned.

import { ask } from "./acts.js";
import { fragment } from "./stage.js";

const PAUSE_MS = 250;
const LEAST = 3;

export class Find {
  #form;
  #place;
  #acts;
  #timer = 0;
  #asked = 0;

  constructor(till, acts) {
    this.#form = till.querySelector("[data-find]");
    this.#place = till.querySelector("[data-found]");
    this.#acts = acts;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#search(true);
    });
    this.#form.addEventListener("input", () => this.#typed());
    this.#form.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") this.#links[0]?.focus();
    });
    this.#place.addEventListener("keydown", (event) => this.#move(event));
    this.#place.addEventListener("click", (event) => this.#click(event));
  }

  get #field() {
    return this.#form.elements.q;
  }

  get #links() {
    return [...this.#place.querySelectorAll("a[data-member]")];
  }

  // Put the cursor into the search.
  focus() {
    this.#field.select();
    this.#field.focus();
  }

  // Look for what a scanner read.
  scanned(code) {
    this.#field.value = code;
    this.#search(true);
  }

  // Close the list; false if none is open.
  close() {
    if (!this.#place.firstElementChild && document.activeElement !== this.#field) return false;
    this.#asked += 1;
    clearTimeout(this.#timer);
    this.#place.replaceChildren();
    this.#form.reset();
    this.#field.value = "";
    this.#field.blur();
    return true;
  }

  #typed() {
    clearTimeout(this.#timer);
    if (this.#field.value.trim().length < LEAST) return;
    this.#timer = setTimeout(() => this.#search(false), PAUSE_MS);
  }

  // Show who is found; who is the only one and was asked for by Enter is served at once.
  async #search(isSent) {
    clearTimeout(this.#timer);
    const number = ++this.#asked;
    try {
      const query = new URLSearchParams({ q: this.#field.value });
      const html = await ask(`${this.#form.action}?${query}`);
      if (number !== this.#asked) return;
      this.#place.replaceChildren(fragment(html));
    } catch {
      return; // without a network the list stays as it is; Enter tries again
    }
    if (isSent && this.#links.length === 1) this.#serve(this.#links[0]);
    else if (isSent) this.#links[0]?.focus();
  }

  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const place = this.#links.indexOf(document.activeElement) + step;
    (this.#links[place] ?? this.#field).focus();
  }

  #click(event) {
    const link = event.target.closest("a[data-member]");
    if (link) {
      event.preventDefault();
      this.#serve(link);
    } else if (event.target.closest("[data-close-found]")) {
      this.close();
    }
  }

  #serve(link) {
    const address = link.href;
    this.close();
    this.#acts.serve(address);
  }
}
