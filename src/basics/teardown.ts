/** Takes down what was started, last first. */
export interface Part {
  /** For people, such as `the page`; null: not worth a word. */
  readonly name: string | null;
  stop(): Promise<void>;
  /** Ends it at once, whatever is lost. */
  kill?(): void;
}

export class Teardown {
  readonly #parts: Part[] = [];

  add(part: Part): void {
    this.#parts.push(part);
  }

  /** In the order in which they stop; without those that are not worth a word. */
  get names(): string[] {
    return this.#parts.toReversed().flatMap(({ name }) => (name === null ? [] : [name]));
  }

  /**
   * Stops one part after the other, also when one before could not be stopped.
   *
   * @returns one sentence for each that did not stop as it should.
   */
  async run(): Promise<string[]> {
    const problems: string[] = [];
    for (const part of this.#parts.toReversed()) {
      try {
        await part.stop();
      } catch (error) {
        const name =
          part.name === null ? 'A part' : part.name.replace(/^./, (letter) => letter.toUpperCase());
        problems.push(`${name} did not stop as it should: ${(error as Error).message}`);
      }
    }
    return problems;
  }

  /** Ends every part at once, also one that `run` is just stopping. */
  kill(): void {
    for (const part of this.#parts) part.kill?.();
  }
}
