// Says how old a page is, once that can be too old. A page is current when its server has just said
// so; from then on it ages by the clock on the wall, asleep or awake.

const TELL_FROM_MS = 2_000;
const TICK_MS = 500;
const PERSIAN_ZERO = 0x6f0;

export class Freshness {
  #page;
  #line;
  #currentAt = Date.now(); // the page came with what was current then
  #isCurrent = true;

  // `page` gets the class `stale` while it is too old; `line` then tells its age, by its data-text.
  constructor(page, line) {
    this.#page = page;
    this.#line = line;
    setInterval(() => this.#show(), TICK_MS);
  }

  // What is on the page is current now, or it is not known to be.
  set(isCurrent) {
    this.#isCurrent = isCurrent;
    if (isCurrent) this.#currentAt = Date.now();
    this.#show();
  }

  #show() {
    const age = Date.now() - this.#currentAt;
    const isStale = !this.#isCurrent && age >= TELL_FROM_MS;
    this.#page.classList.toggle("stale", isStale);
    this.#line.hidden = !isStale;
    if (isStale) this.#line.textContent = this.#line.dataset.text.replace("{age}", clock(age));
  }
}

// Hours, minutes and seconds in the digits of the page: 0:07, 12:30, 1:02:03.
function clock(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  if (seconds >= 3600) parts.unshift(Math.floor(seconds / 3600));
  const [first, ...rest] = parts.map(String);
  const text = [first, ...rest.map((part) => part.padStart(2, "0"))].join(":");
  if (document.documentElement.lang !== "fa") return text;
  return text.replace(/\d/g, (digit) => String.fromCharCode(PERSIAN_ZERO + Number(digit)));
}
