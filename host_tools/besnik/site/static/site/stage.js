// What a till's page shows: the board, and beside it the desk where the cashier works.
//
// What somebody types is never wiped by a tap or by a board that is drawn anew: while the desk is
// touched, its customer stays and the next one is announced beside it.

export class Stage {
  #till;
  #board;
  #desk;
  #done;
  #bar;
  #announcer;
  #next = null; // the board of who came meanwhile, as the server drew it
  #heard = ""; // the tap that a waiting sheet was sent for
  #chosenAfter = -1; // a member was chosen by hand when this was the newest tap

  constructor(till) {
    this.#till = till;
    this.#board = till.querySelector("[data-board]");
    this.#desk = till.querySelector("[data-desk]");
    this.#done = till.querySelector("[data-done]");
    this.#bar = till.querySelector("[data-next]");
    this.#announcer = till.querySelector("[data-announce]");
    if (this.shown.view === "found") this.#chosenAfter = Number(this.shown.newest);
  }

  // The dataset of the board on the screen.
  get shown() {
    return this.#board.querySelector(".board").dataset;
  }

  // Take the newest board of the till, from the stream.
  follow(html) {
    const drawn = parse(html);
    const { view, key, said, subject, newest } = drawn.board.dataset;
    if (this.shown.key === key || this.#isAwaited(drawn.board.dataset)) return;
    if (this.shown.view === "found" && Number(newest) <= this.#chosenAfter) return;
    if (subject === this.shown.subject || (!this.#isTouched() && !this.#isOpen(subject))) {
      this.#draw(drawn, subject === this.shown.subject && this.#isTouched());
    } else if (this.shown.subject === "" && drawn.sell && this.#onlyAmount()) {
      this.#adopt(drawn);
    } else if (view === "waiting") {
      this.#forget();
    } else if (this.#next?.board.dataset.said !== said) {
      this.#announceNext(drawn);
    }
  }

  // Show what an action of this page answered; who waits is served as soon as it is done.
  show(html) {
    const drawn = parse(html);
    if (drawn.done) this.#done.replaceChildren(drawn.done);
    if (this.#next) {
      this.serveNext();
    } else {
      this.#chosenAfter = Number(drawn.board.dataset.newest);
      this.#draw(drawn, false);
    }
  }

  // Throw away what was typed for a card that is not to be enrolled now.
  discard() {
    for (const form of this.#desk.querySelectorAll("form")) {
      form.reset();
      delete form.dataset.touched;
      delete form.dataset.awaits;
    }
    this.serveNext();
  }

  // Turn to the customer who came meanwhile.
  serveNext() {
    if (!this.#next) return;
    const next = this.#next;
    this.#forget();
    this.#draw(next, false);
  }

  // Lay a sheet over the desk; `back` brings what is under it again, as it was.
  open(sheet) {
    this.back();
    for (const under of this.#sheets) under.hidden = true;
    sheet.dataset.over = "";
    this.#desk.querySelector(".desk").prepend(sheet);
    focusFirst(sheet);
  }

  // Take the sheet away that lies over the desk; false if there is none.
  back() {
    const over = this.#desk.querySelector("[data-over]");
    if (!over) return false;
    over.remove();
    for (const under of this.#sheets) under.hidden = false;
    this.focus();
    return true;
  }

  // Put the cursor where the next thing is typed, unless a finger would only raise a keyboard.
  focus() {
    if (!matchMedia("(pointer: fine)").matches) return;
    this.#desk.querySelector(".sheet:not([hidden]) :is([data-amount], input[name=name])")?.focus({ preventScroll: true });
  }

  get #sheets() {
    return this.#desk.querySelectorAll(".desk > :not([data-over])");
  }

  #draw(drawn, keepsDesk) {
    const isNews = this.shown.said !== drawn.board.dataset.said;
    const hadFocus = this.#desk.contains(document.activeElement);
    drawn.board.classList.toggle("fresh", isNews);
    this.#board.replaceChildren(drawn.board);
    if (!keepsDesk && drawn.desk) {
      this.#desk.replaceChildren(drawn.desk);
      if (hadFocus || document.activeElement === document.body) this.focus();
    }
    if (isNews) this.#announce(drawn.board);
    // A purchase that waited for this card needs no question.
    this.#desk.querySelector("form[data-attach]")?.requestSubmit();
  }

  // A sheet that waits for a card goes off by itself when that is held to the reader.
  #isAwaited({ view, tap, subject }) {
    const form = this.#desk.querySelector("form[data-awaits]");
    if (!form || view !== "new" || tap === this.#heard) return false;
    if (form.dataset.awaits !== "new" && subject !== `card-${form.dataset.awaits}`) return false;
    this.#heard = tap;
    form.requestSubmit();
    return true;
  }

  // The amount was typed before the card came: now it is known whose it is.
  #adopt(drawn) {
    const typed = this.#desk.querySelector("[data-amount]").value;
    this.#draw(drawn, false);
    const field = this.#desk.querySelector("[data-amount]");
    field.value = typed;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    this.focus();
  }

  #onlyAmount() {
    const sell = this.#desk.querySelector("[data-sell]");
    return Boolean(sell?.querySelector("[data-amount]").value) && !sell.dataset.sending;
  }

  // Somebody types, or a sheet is being sent.
  #isTouched() {
    if (this.#desk.querySelector("[data-touched], [data-sending]")) return true;
    return [...this.#desk.querySelectorAll("input, select, textarea")].some(isChanged);
  }

  // A sheet of another customer lies open.
  #isOpen(subject) {
    return this.shown.subject !== subject && Boolean(this.#desk.querySelector("[data-over]"));
  }

  #announceNext(drawn) {
    this.#next = drawn;
    const name = drawn.board.querySelector(".name") ?? drawn.board.querySelector(".verdict strong");
    this.#bar.querySelector("[data-next-name]").textContent = name?.textContent.trim() ?? "";
    this.#bar.dataset.tone = drawn.board.querySelector(".verdict")?.dataset.tone ?? "";
    this.#bar.hidden = false;
    this.#announcer.textContent = this.#bar.querySelector("p").textContent.replace(/\s+/g, " ");
  }

  #forget() {
    this.#next = null;
    this.#bar.hidden = true;
  }

  // One short sentence for screen readers, rather than every part of the board.
  #announce(board) {
    const parts = [".verdict strong", ".name", ".balance", ".verdict span", ".alert"];
    const words = parts.map((part) => board.querySelector(part)?.textContent.trim());
    this.#announcer.textContent = words.filter(Boolean).join(". ").replace(/\s+/g, " ");
  }
}

// Put the cursor into what is wrong, or else into the first field.
export function focusFirst(sheet) {
  const fields = "input:not([type=hidden]):not([type=radio]), select, textarea";
  const first = sheet.querySelector("[aria-invalid]") ?? sheet.querySelector(fields);
  (first ?? sheet.querySelector("button, input"))?.focus({ preventScroll: true });
}

// Return the element that a fragment of the server's consists of.
export function fragment(html) {
  const drawn = document.createElement("template");
  drawn.innerHTML = html;
  return drawn.content;
}

function parse(html) {
  const drawn = fragment(html);
  const part = (name) => drawn.querySelector(`[data-part=${name}]`)?.content;
  const desk = part("desk");
  const sell = desk?.querySelector("[data-sell][data-preview]");
  return { board: drawn.querySelector(".board"), desk, sell, done: part("done") };
}

function isChanged(field) {
  if (field.type === "hidden") return false;
  if (field.type === "radio" || field.type === "checkbox") {
    return field.checked !== field.defaultChecked;
  }
  if (field instanceof HTMLSelectElement) {
    return [...field.options].some((option) => option.selected !== option.defaultSelected);
  }
  return field.value !== field.defaultValue;
}
