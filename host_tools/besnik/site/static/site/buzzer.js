// The reader's piezo buzzer, driven by square waves as on the board.

const LOUDNESS = 0.05;
const RAMP_S = 0.003; // shorter clicks in the loudspeaker

export class Buzzer {
  #context = null;
  #gain = null;
  #wave = null;

  // Switch the sound on or off; browsers start it only after a press on the page.
  async toggle() {
    if (this.#context) {
      await this.#context.close();
      this.#context = null;
      return false;
    }
    this.#context = new AudioContext({ latencyHint: "interactive" });
    this.#gain = new GainNode(this.#context, { gain: 0 });
    this.#wave = new OscillatorNode(this.#context, { type: "square", frequency: 1000 });
    this.#wave.connect(this.#gain).connect(this.#context.destination);
    this.#wave.start();
    await this.#context.resume();
    return true;
  }

  // Sound at `hz`, or fall silent at 0.
  play(hz) {
    if (!this.#context) return;
    const now = this.#context.currentTime;
    if (hz) this.#wave.frequency.setValueAtTime(hz, now);
    this.#gain.gain.setTargetAtTime(hz ? LOUDNESS : 0, now, RAMP_S);
  }
}
