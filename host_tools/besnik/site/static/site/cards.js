// The tray: things to hold to the reader, by drag (mouse, pen, finger), press or keyboard.
//
// Where a card lies is what the virtual counter says, not where it was dropped: a press only
// asks, and the answer comes back by the stream for every open page alike.

const DRAG_STARTS_PX = 6;
const REACH_PX = 24; // the field reaches a little over the edge of the case

export class CardTray {
  #tray;
  #device;
  #failed;
  #counter;
  #drag = null;
  #justDragged = false;

  constructor(tray, device, counter, failed) {
    this.#tray = tray;
    this.#device = device;
    this.#counter = counter;
    this.#failed = failed;
    tray.addEventListener("pointerdown", (event) => this.#grab(event));
    tray.addEventListener("pointermove", (event) => this.#move(event));
    tray.addEventListener("pointerup", (event) => this.#release(event));
    tray.addEventListener("pointercancel", (event) => this.#release(event));
    tray.addEventListener("click", (event) => this.#press(event));
    new ResizeObserver(() => this.#arrange()).observe(counter);
  }

  // Draw the tray as the server rendered it.
  draw(html) {
    const held = document.activeElement?.dataset?.card;
    this.#tray.innerHTML = html;
    this.#arrange();
    if (held) this.#card(held)?.focus();
  }

  // Take what the counter says about one card.
  place(key, isPresent) {
    const card = this.#card(key);
    if (!card) return;
    card.setAttribute("aria-pressed", String(isPresent));
    this.#arrange();
  }

  #card(key) {
    return this.#tray.querySelector(`[data-card="${CSS.escape(key)}"]`);
  }

  #grab(event) {
    const card = event.target.closest(".thing");
    this.#justDragged = false;
    if (!card || event.button !== 0 || this.#drag) return;
    const { x, y } = shift(card);
    this.#drag = { card, id: event.pointerId, from: event, x, y, moving: false };
  }

  #move(event) {
    const drag = this.#drag;
    if (!drag || event.pointerId !== drag.id) return;
    const dx = event.clientX - drag.from.clientX;
    const dy = event.clientY - drag.from.clientY;
    if (!drag.moving) {
      if (Math.hypot(dx, dy) < DRAG_STARTS_PX) return;
      drag.moving = true;
      drag.card.setPointerCapture(drag.id);
      drag.card.classList.add("dragged");
    }
    setShift(drag.card, drag.x + dx, drag.y + dy);
    this.#ask(drag.card, this.#isOverReader(drag.card));
  }

  #release(event) {
    const drag = this.#drag;
    if (!drag || event.pointerId !== drag.id) return;
    this.#drag = null;
    if (!drag.moving) return;
    this.#justDragged = event.type === "pointerup";
    drag.card.classList.remove("dragged");
    this.#ask(drag.card, this.#isOverReader(drag.card));
    this.#arrange();
  }

  // A press without a drag: mouse, finger, Enter and Space alike.
  #press(event) {
    const card = event.target.closest(".thing");
    if (!card || this.#justDragged) {
      this.#justDragged = false;
      return;
    }
    this.#ask(card, card.getAttribute("aria-pressed") !== "true");
  }

  // Ask for a change; questions about one card wait for each other, so the last one stands.
  async #ask(card, present) {
    card.wanted = present;
    if (card.asking) return;
    card.asking = true;
    try {
      while (card.wanted !== (card.asked ?? card.getAttribute("aria-pressed") === "true")) {
        card.asked = card.wanted;
        await this.#post(card, card.asked);
      }
      this.#failed.hidden = true;
    } catch {
      this.#failed.hidden = false;
    } finally {
      card.asking = false;
      delete card.asked;
      this.#arrange();
    }
  }

  async #post(card, present) {
    const answer = await fetch(card.dataset.move, {
      method: "POST",
      body: new URLSearchParams({ present: present ? "yes" : "no" }),
      headers: {
        "X-CSRFToken": this.#counter.querySelector("[name=csrfmiddlewaretoken]").value,
      },
    });
    if (!answer.ok) throw new Error(answer.statusText);
    card.setAttribute("aria-pressed", String(present));
  }

  #isOverReader(card) {
    const middle = card.getBoundingClientRect();
    const x = middle.left + middle.width / 2;
    const y = middle.top + middle.height / 2;
    const field = this.#device.getBoundingClientRect();
    return (
      x > field.left - REACH_PX && x < field.right + REACH_PX &&
      y > field.top - REACH_PX && y < field.bottom + REACH_PX
    );
  }

  // Put every card that nobody drags where it belongs: its slot, or fanned on the reader.
  #arrange() {
    const cards = [...this.#tray.querySelectorAll(".thing")];
    const lying = cards.filter((card) => card.getAttribute("aria-pressed") === "true");
    const device = this.#device.getBoundingClientRect();
    for (const card of cards) {
      if (card === this.#drag?.card && this.#drag.moving) continue;
      const place = lying.indexOf(card);
      if (place < 0) {
        setShift(card, 0, 0);
        continue;
      }
      const slot = card.parentElement.getBoundingClientRect();
      const fan = (place - (lying.length - 1) / 2) * 18;
      setShift(
        card,
        device.left + device.width / 2 - slot.left - slot.width / 2 + fan,
        device.top + device.height * 0.62 - slot.top - slot.height / 2 + fan,
      );
    }
  }
}

function shift(card) {
  return { x: Number(card.dataset.x ?? 0), y: Number(card.dataset.y ?? 0) };
}

function setShift(card, x, y) {
  card.dataset.x = x;
  card.dataset.y = y;
  card.style.setProperty("--x", `${x}px`);
  card.style.setProperty("--y", `${y}px`);
}
