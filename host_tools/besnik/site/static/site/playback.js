// Plays pin events with the spacing they had at the pins. The network delivers them in bursts,
// so each is shown a moment after it is due; a 30 ms tick stays a 30 ms tick.

const LEAD_MS = 30;
const ASTRAY_MS = 250;

export class Playback {
  #offset = null; // performance.now() minus the counter's clock, both in ms
  #timers = new Set();

  restart() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#offset = null;
  }

  // Run `show` when the event that happened at `t_us` by the counter's clock is due.
  at(t_us, show) {
    const now = performance.now();
    const happened = t_us / 1000;
    let due = this.#offset === null ? now : happened + this.#offset;
    // Too late or too early: the clocks have drifted or one restarted. Start afresh from here.
    if (this.#offset === null || due < now || due > now + ASTRAY_MS) {
      due = Math.max(now + LEAD_MS, this.#last);
      this.#offset = due - happened;
    }
    this.#last = due;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      show();
    }, due - now);
    this.#timers.add(timer);
  }

  #last = 0;
}
