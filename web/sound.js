/** Soft tones, made on the spot, from the first click or key on: before that browsers let no page be heard. */

const TONES = {
  turn: { hz: [523.25, 783.99], each_s: 0.14, volume: 0.16 },
  bank: { hz: [392, 392, 392], each_s: 0.16, volume: 0.14 },
  chips: { hz: [1400], each_s: 0.04, volume: 0.05 },
  card: { hz: [320], each_s: 0.03, volume: 0.05 },
};
/** A tone swells for so long: a sudden one clicks. */
const SWELL_S = 0.012;

export class Sound {
  #settings;
  #audio = null;

  constructor(settings) {
    this.#settings = settings;
    const wake = () => {
      for (const gesture of ["pointerdown", "keydown"]) removeEventListener(gesture, wake, true);
      this.#audio = globalThis.AudioContext ? new AudioContext() : null;
    };
    for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, wake, true);
  }

  /** @param {"turn"|"bank"|"chips"|"card"} name */
  play(name) {
    if (!this.#settings.sound || !this.#audio) return;
    if (this.#audio.state === "suspended") this.#audio.resume();
    const { hz, each_s, volume } = TONES[name];
    hz.forEach((frequency, at) => {
      const start = this.#audio.currentTime + at * each_s;
      const tone = new OscillatorNode(this.#audio, { type: "triangle", frequency });
      const gain = new GainNode(this.#audio, { gain: 0 });
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(volume, start + SWELL_S);
      gain.gain.setTargetAtTime(0, start + SWELL_S, each_s);
      tone.connect(gain).connect(this.#audio.destination);
      tone.start(start);
      tone.stop(start + 8 * each_s);
    });
  }
}
