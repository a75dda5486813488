/** Waits that can be ended early; nothing here outlives its stream. */

/** A door that several events can push open: `wait` returns at the first push, or at once if one came since the last wait. */
export class Interrupt {
  #pushed = false;
  #open: (() => void) | null = null;

  push(): void {
    this.#pushed = true;
    this.#open?.();
  }

  /** Resolves after `timeoutMs`, or at a push: true when it was one. */
  async wait(timeoutMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    if (!this.#pushed) {
      await new Promise<void>((resolve) => {
        // Longer waits than setTimeout takes (2^31-1 ms) end early; every caller looks again.
        const timer = Number.isFinite(timeoutMs)
          ? setTimeout(resolve, Math.min(timeoutMs, 2 ** 31 - 1))
          : null;
        this.#open = () => {
          if (timer) clearTimeout(timer);
          resolve();
        };
      });
      this.#open = null;
    }
    const pushed = this.#pushed;
    this.#pushed = false;
    return pushed;
  }
}
