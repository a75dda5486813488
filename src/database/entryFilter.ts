/** What each row of the table of filters (entryFilters.ts) does. */
import type { Parameters } from './parameters.ts';

/** `None` is the type of the value that lets every entry through. */
export interface EntryFilter<T, None = T> {
  readonly none: None;
  /** Never called for `none`. `forms`: the folded spellings of the searched text. */
  condition(value: T, parameters: Parameters, forms: readonly string[]): string;
  /** What the text of every match holds: at least one of each list. Empty where nothing is certain. */
  needles(value: T): ReadonlyArray<readonly string[]>;
  /**
   * For a filter that mostly lets nothing through: a query for the `id` of every entry of the organization that may match, by indexes
   * alone. It may end after `most` rows.
   */
  ids?(value: T, bounds: IdBounds, parameters: Parameters): string;
}

export interface IdBounds {
  readonly organization: string;
  readonly most: number;
}
