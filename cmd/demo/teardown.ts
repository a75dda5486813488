/** Takes down what was started, last first. */
export interface Part {
  /** A name for people; null: not worth mentioning. */
  readonly name: string | null;
  stop(): Promise<void>;
  /** Ends it at once, even if something is lost. */
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

  /** A part that cannot be stopped does not prevent the others from stopping. */
  async run(): Promise<void> {
    const parts = this.#parts.toReversed();
    const names = parts.map((part) => part.name).filter((name) => name !== null);
    if (names.length > 0) this.#write(`\nStopping ${names.join(', then ')} …\n`);
    for (const part of parts) {
      try {
        await part.stop();
      } catch (error) {
        this.#write(`! ${part.name ?? 'A part'} did not stop as it should: ${(error as Error).message}\n`);
      }
    }
    if (names.length > 0) this.#write('Stopped.\n');
  }
}
