/** The bound parameters of a statement under construction. */
export class Parameters {
  readonly values: unknown[] = [];

  /** `$n`, cast to `type`. */
  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}
