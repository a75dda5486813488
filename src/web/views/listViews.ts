/** What the views of the list are given. */
import type { SessionSign } from '../format/sessionWords.ts';

export interface AuditLogsView {
  readonly exportUrl: string;
  readonly filterBar: FilterBarView;
  readonly results: ResultsView;
}

export interface FilterBarView {
  readonly url: string;
  /** What the input of a name holds, as in the address; empty: nothing. */
  readonly value: (name: string) => string;
  /** The same of several inputs of one name. */
  readonly values: (name: string) => readonly string[];
  readonly eventTypes: ReadonlyArray<{ readonly prefix: string; readonly options: readonly OptionView[] }>;
  /** Event types in all. */
  readonly eventTypeCount: number;
  readonly sessionTypes: readonly OptionView[];
  /** Suggestions while somebody types. */
  readonly actors: ReadonlyArray<{ readonly value: string; readonly label: string }>;
  readonly projects: readonly string[];
  readonly ranges: readonly OptionView[];
}

export interface OptionView {
  readonly value: string;
  readonly label: string;
  readonly isChosen: boolean;
}

export interface ChipView {
  readonly label: string;
  /** The list without it. */
  readonly url: string;
}

export interface ResultsView {
  /** Canonical address of this list. */
  readonly url: string;
  readonly title: string;
  readonly text: string;
  readonly chips: readonly ChipView[];
  /** null: there is nothing to clear. */
  readonly clearUrl: string | null;
  readonly problems: readonly string[];
  readonly rows: readonly EntryRow[];
  readonly more: MoreView;
  /** Instead of a table; null: there are rows, or the search goes on. */
  readonly empty: EmptyView | null;
  /** Asked every ten seconds; null: nothing new can come into this list. */
  readonly liveUrl: string | null;
  readonly status: string;
  readonly downloads: { readonly csvUrl: string; readonly ndjsonUrl: string };
  /** null: no entry is dated in the future, or this is no place to say so. */
  readonly future: FutureView | null;
  /** The first page, when this is an older one; null: this is it. */
  readonly newestUrl: string | null;
}

export interface FutureView {
  readonly words: string;
  readonly url: string;
  readonly linkWords: string;
}

export interface RowsView {
  readonly text: string;
  readonly rows: readonly EntryRow[];
  readonly more: MoreView;
  readonly status: string;
}

export interface EntryRow {
  readonly id: string;
  readonly url: string;
  readonly eventType: string;
  readonly actor: string | null;
  /** Only where the name is shown before it. */
  readonly actorId: string | null;
  readonly sign: SessionSign | null;
  readonly project: string | null;
  readonly occurredAt: string;
  readonly excerpt: string | null;
  /** Too large to be searched: it may hold the text or not. */
  readonly isUnsearched: boolean;
}

export type MoreView =
  | { readonly kind: 'older'; readonly url: string; readonly partUrl: string }
  /** The time for one answer was over before the page was full. */
  | {
      readonly kind: 'continue';
      readonly url: string;
      readonly partUrl: string;
      readonly searchedBackTo: string;
      /** Many entries are in no search index yet, and are read one by one. */
      readonly isIndexBehind: boolean;
      /** The browser goes on by itself. */
      readonly isAutomatic: boolean;
    }
  | { readonly kind: 'end'; readonly words: string; readonly allTimeUrl: string | null };

export interface EmptyView {
  readonly title: string;
  readonly words: string;
  readonly allTimeUrl: string | null;
  readonly clearUrl: string | null;
  /** SQL that writes a first entry; null: there are some. */
  readonly example: string | null;
}

export interface NewerView {
  readonly count: number;
  /** There may be more than `count`. */
  readonly isCapped: boolean;
  readonly url: string;
}
