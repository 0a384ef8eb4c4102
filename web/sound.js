/** Soft tones, made on the spot; silent unless the player has switched them on. */

const TONES = {
  turn: { hz: [660, 880], each_s: 0.12, volume: 0.12 },
  chips: { hz: [1400], each_s: 0.04, volume: 0.05 },
  card: { hz: [320], each_s: 0.03, volume: 0.05 },
};

export class Sound {
  #settings;
  #audio = null;

  constructor(settings) {
    this.#settings = settings;
  }

  /** @param {"turn"|"chips"|"card"} name */
  play(name) {
    if (!this.#settings.sound) return;
    this.#audio ??= new AudioContext();
    const { hz, each_s, volume } = TONES[name];
    hz.forEach((frequency, at) => {
      const start = this.#audio.currentTime + at * each_s;
      const tone = new OscillatorNode(this.#audio, { type: "sine", frequency });
      const gain = new GainNode(this.#audio, { gain: volume });
      gain.gain.setTargetAtTime(0, start, each_s / 2);
      tone.connect(gain).connect(this.#audio.destination);
      tone.start(start);
      tone.stop(start + 4 * each_s);
    });
  }
}
