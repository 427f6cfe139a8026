// The keys of a till. A scanner is a keyboard that types faster than anybody: what it reads goes
// to the search, wherever the cursor is.

const SCAN_LEAST = 8;
const SCAN_GAP_MS = 35;
// What somebody presses who fills in a form, and no scanner within a code.
const BY_HAND = /^(Tab|Backspace|Delete|Arrow.+|Home|End|PageUp|PageDown)$/;

export class Keys {
  #actions;
  #read = "";
  #readAt = 0;
  #before = null; // the field a scanner typed into, and what it held

  // `actions` maps F2, F4, F8, F9, Escape to functions; `typed` and `scanned` take what is left.
  constructor(actions) {
    this.#actions = actions;
    document.addEventListener("keydown", (event) => this.#press(event), { capture: true });
  }

  #press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const action = this.#actions[event.key];
    if (action && !event.shiftKey) {
      if (action() !== false) event.preventDefault();
    } else if (event.key === "Enter" && this.#read.length >= SCAN_LEAST && !this.#isSlow(event)) {
      event.preventDefault();
      event.stopPropagation();
      this.#scanned();
    } else if (event.key.length === 1) {
      this.#remember(event);
      this.#actions.typed(event);
    } else if (BY_HAND.test(event.key)) {
      this.#read = "";
    }
  }

  #isSlow(event) {
    return event.timeStamp - this.#readAt > SCAN_GAP_MS;
  }

  #remember(event) {
    if (this.#isSlow(event)) {
      const field = document.activeElement;
      this.#read = "";
      this.#before = field instanceof HTMLInputElement ? [field, field.value] : null;
    }
    this.#read += event.key;
    this.#readAt = event.timeStamp;
  }

  #scanned() {
    const code = this.#read;
    this.#read = "";
    if (this.#before) {
      const [field, value] = this.#before;
      field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.#actions.scanned(code);
  }
}
