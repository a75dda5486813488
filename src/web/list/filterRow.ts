/** What each row of the table of filters does, and how it reads its part of an address. */
import { z } from 'zod';

/** A name and a value of the address, and of the form above the list. */
export type Parameter = readonly [key: string, value: string];

export interface FilterRow<T> {
  /** The value in the address: valid whatever somebody typed, canonical (lists sorted, each value once). */
  read(address: AddressReader): T;
  /** The value as the address spells it; nothing for the default. */
  print(value: T): readonly Parameter[];
  /** The value as the inputs above the list hold it. Default: as `print`. */
  inputs?(value: T): readonly Parameter[];
  /** A chip for each part that can be removed alone; `rest` is the value without it. `names`: of destinations, by key. */
  chips(
    value: T,
    names?: ReadonlyMap<string, string>,
  ): ReadonlyArray<{
    readonly label: string;
    readonly rest: T;
    readonly range?: { from: string; to: string };
  }>;
}

/** The most values of one filter in an address. */
export const mostValues = 100;

/** Reads values from an address. `problems` has a sentence for each value that it ignored. */
export class AddressReader {
  readonly #parameters: URLSearchParams;
  problems: string[] = [];

  constructor(parameters: URLSearchParams) {
    this.#parameters = parameters;
  }

  /** As it was typed; empty: nothing. */
  raw(key: string): string {
    return this.#parameters.get(key) ?? '';
  }

  /**
   * An address whose `key` holds one value. A form sends two where an input cannot show a value exactly: the exact one, and what the
   * input holds. While that is what the input shows of the exact one, nobody has changed it.
   */
  resolve(key: string, isShownAs: (exact: string, typed: string) => boolean): AddressReader {
    const [exact, typed, more] = this.#parameters.getAll(key);
    if (exact === undefined || typed === undefined || more !== undefined) return this;
    const one = new AddressReader(new URLSearchParams([[key, isShownAs(exact, typed) ? exact : typed]]));
    one.problems = this.problems;
    return one;
  }

  /** Each value once, sorted. `what` says in the problem what it should have been. */
  all(schema: z.ZodType<string>, key: string, what: string, most = mostValues): string[] {
    return this.#take(schema, key, what, most).sort();
  }

  one<T>(schema: z.ZodType<T>, key: string, what: string): T | null {
    return this.#take(schema, key, what, 1)[0] ?? null;
  }

  #take<T>(schema: z.ZodType<T>, key: string, what: string, most: number): T[] {
    const taken: T[] = [];
    for (const value of new Set(this.#parameters.getAll(key).filter((each) => each !== ''))) {
      const parsed = schema.safeParse(value);
      if (!parsed.success) this.problems.push(`“${shorten(value)}” is not ${what}, so it was ignored.`);
      else if (taken.length === most)
        this.problems.push(`Only ${most} of “${key}” count, so “${shorten(value)}” was ignored.`);
      else taken.push(parsed.data);
    }
    return taken;
  }
}

/** Longer values are offered nowhere as a filter. */
const mostCharacters = 256;

/** Names are not trimmed: `Ada` and `Ada ` are two actors. */
export const nameSchema = z.string().refine((text) => isFilterValue(text));

/** Whether an address can filter by this value of an entry, and by nothing else. */
export function isFilterValue(text: string): boolean {
  return (
    text !== '' && [...text.slice(0, 2 * mostCharacters + 1)].length <= mostCharacters && isStorable(text)
  );
}

/** Postgres stores neither NUL nor half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
