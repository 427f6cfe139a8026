// Plays pin events in their order and with the spacing they had at the pins. The network brings
// them in bursts, so each is shown a moment after it is due; a 30 ms tick stays a 30 ms tick.

const LEAD_MS = 30;
const ASTRAY_MS = 250;

export class Playback {
  #offset = null; // performance.now() minus the counter's clock, both in ms
  #queue = []; // [due, show], in order
  #timer = 0;

  restart() {
    clearTimeout(this.#timer);
    this.#queue = [];
    this.#offset = null;
  }

  // Call `show` when what happened at `t_us` by the counter's clock is due.
  at(t_us, show) {
    const now = performance.now();
    const happened = t_us / 1000;
    // Too late or too early: the clocks have drifted or one began anew. Take a new bearing.
    const due = happened + (this.#offset ?? 0);
    if (this.#offset === null || due < now || due > now + ASTRAY_MS) {
      this.#offset = now + LEAD_MS - happened;
    }
    const last = this.#queue.at(-1)?.[0] ?? 0;
    this.#queue.push([Math.max(happened + this.#offset, last), show]);
    if (this.#queue.length === 1) this.#wait();
  }

  #wait() {
    const [due] = this.#queue[0];
    this.#timer = setTimeout(() => this.#play(), due - performance.now());
  }

  #play() {
    const now = performance.now();
    while (this.#queue.length && this.#queue[0][0] <= now + 0.5) this.#queue.shift()[1]();
    if (this.#queue.length) this.#wait();
  }
}
