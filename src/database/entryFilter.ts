/** What each row of the table of filters (entryFilters.ts) does. */
import type { Parameters } from './parameters.ts';

/** `None` is the type of the value that lets every entry through. */
export interface EntryFilter<T, None = T> {
  readonly none: None;
  /** Never called for `none`. `forms`: how the terms of the searched text are spelled, folded. */
  condition(value: T, parameters: Parameters, forms: TextForms): string;
  /** What the text of every match holds: at least one of each list. Empty where nothing is certain. */
  needles(value: T): ReadonlyArray<readonly string[]>;
  /**
   * For a filter that mostly lets nothing through: a query for the `id` of every entry of the organization that may match, by indexes
   * alone. It may end after `most` rows.
   */
  ids?(value: T, bounds: IdBounds, parameters: Parameters): string;
}

/** The folded spellings of each term of a search: one of each of `all` stands in an entry, and none of `none`. */
export interface TextForms {
  readonly all: ReadonlyArray<readonly string[]>;
  readonly none: ReadonlyArray<readonly string[]>;
}

export interface IdBounds {
  readonly organization: string;
  readonly most: number;
}
