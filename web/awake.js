/** Keeps the screen on, where the browser can and as long as it is wanted. Whoever looks elsewhere loses that, and has it again on coming back. */

export class Awake {
  #page;
  #wanted = false;
  #lock = null;
  #asks = false;

  /** @param {{isSeen: () => boolean, lock: () => Promise<WakeLockSentinel>}} page */
  constructor(page) {
    this.#page = page;
  }

  /** Whether the screen is to stay on. */
  want(wanted) {
    this.#wanted = wanted;
    return this.look();
  }

  /** The page is seen again, or not any more. */
  async look() {
    if (!this.#wanted) {
      const lock = this.#lock;
      this.#lock = null;
      await lock?.release();
      return;
    }
    if (this.#asks || (this.#lock && !this.#lock.released) || !this.#page.isSeen()) return;
    this.#asks = true;
    try {
      this.#lock = await this.#page.lock();
    } catch {
      this.#lock = null; // Its battery is low, or it has no such thing.
    } finally {
      this.#asks = false;
    }
    if (!this.#wanted) await this.look();
  }
}

/** This browser's page. */
export function pageToKeepAwake() {
  return { isSeen: () => !document.hidden, lock: async () => navigator.wakeLock.request("screen") };
}
