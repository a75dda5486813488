/** Takes down what was started, last first. */
export interface Part {
  /** For people; null: not worth a word. */
  readonly name: string | null;
  stop(): Promise<void>;
  /** Ends it at once, whatever is lost. */
  kill?(): void;
}

export class Teardown {
  readonly #parts: Part[] = [];
  readonly #write: (text: string) => void;

  /** @param kill when it aborts, every part is killed. */
  constructor(kill: AbortSignal, write: (text: string) => void) {
    this.#write = write;
    kill.addEventListener('abort', () => {
      for (const part of this.#parts) part.kill?.();
    });
  }

  add(part: Part): void {
    this.#parts.push(part);
  }

  /** A part that cannot be stopped does not keep the others from it. */
  async run(): Promise<void> {
    const parts = this.#parts.toReversed();
    if (!parts.some((part) => part.name !== null)) return this.#stopAll(parts);
    this.#write('\nStopping');
    await this.#stopAll(parts);
    this.#write(' … stopped.\n');
  }

  async #stopAll(parts: readonly Part[]): Promise<void> {
    for (const part of parts) {
      if (part.name !== null) this.#write(` … ${part.name}`);
      try {
        await part.stop();
      } catch (error) {
        this.#write(` (${(error as Error).message})`);
      }
    }
  }
}
