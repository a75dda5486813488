/** The data of the list's views. */
import type { SessionSign } from '../format/sessionWords.ts';
import type { BadgeView } from './exportViews.ts';
import type { HistogramView } from './histogramViews.ts';

export interface AuditLogsView {
  readonly exportUrl: string;
  readonly helpUrl: string;
  readonly filterBar: FilterBarView;
  readonly trouble: ExportTroubleView;
  readonly histogram: HistogramView;
  readonly results: ResultsView;
}

/** Which destinations do not get their entries. */
export interface ExportTroubleView {
  /** The browser polls it. */
  readonly url: string;
  readonly listUrl: string;
  readonly troubled: readonly TroubleView[];
  /** Beyond those shown. */
  readonly more: number;
  /** null: none has trouble, as far as is known. */
  readonly tone: 'warn' | 'bad' | null;
}

export interface TroubleView {
  readonly name: string;
  readonly url: string;
  readonly badge: BadgeView;
  /** RFC 3339; null: not known. */
  readonly since: string | null;
  readonly why: string;
  /** What the link says, such as `Fix it`. */
  readonly action: string;
}

export interface FilterBarView {
  readonly url: string;
  /** What the input of a name holds, as in the address; empty: nothing. */
  readonly value: (name: string) => string;
  /** The same of several inputs of one name. */
  readonly values: (name: string) => readonly string[];
  readonly facets: readonly FacetView[];
  /** By the keys of their configs. */
  readonly destinations: readonly OptionView[];
  readonly ranges: readonly OptionView[];
  /** The page shows the counts that scripts otherwise ask for. */
  readonly withOverview: boolean;
  /** The same list with those counts. */
  readonly overviewUrl: string;
}

/** A menu of values to include or to leave out. */
export interface FacetView {
  /** In ids, and the name of its input in the address. */
  readonly key: string;
  readonly label: string;
  /** What its search input is called. */
  readonly find: string;
  /** Its values, counted. */
  readonly url: string;
  /** Something of it is chosen. */
  readonly isActive: boolean;
  readonly options: readonly FacetOptionView[];
  /** A sentence each: what was counted, and what is missing. */
  readonly notes: readonly string[];
  /** False: only what is chosen is listed. */
  readonly isCounted: boolean;
}

export interface FacetOptionView {
  readonly label: string;
  readonly isMono: boolean;
  /** Such as `1,204`, `≥ 300`; null: not known. */
  readonly count: string | null;
  readonly include: FacetBoxView;
  readonly exclude: FacetBoxView;
}

/** A checkbox. */
export interface FacetBoxView {
  readonly name: string;
  readonly value: string;
  readonly isChecked: boolean;
}

export interface OptionView {
  readonly value: string;
  readonly label: string;
  readonly isChosen: boolean;
}

export interface ChipView {
  readonly label: string;
  /** A range of time in UTC, empty where it is open: scripts name it in the zone that is shown. */
  readonly range?: { readonly from: string; readonly to: string };
  /** The list without it. */
  readonly url: string;
}

export interface ResultsView extends RowsView {
  /** The canonical address of this list. */
  readonly url: string;
  readonly title: string;
  /** What asks for the counts over time. */
  readonly histogram: HistogramView;
  readonly chips: readonly ChipView[];
  /** null: there is nothing to clear. */
  readonly clearUrl: string | null;
  readonly problems: readonly string[];
  /** Shown instead of a table; null: there are rows, or the search continues. */
  readonly empty: EmptyView | null;
  /** The browser polls it every ten seconds; null: nothing new can enter this list. */
  readonly liveUrl: string | null;
  readonly downloads: { readonly csvUrl: string; readonly ndjsonUrl: string };
  /** null: no entry is dated in the future, or this list need not mention it. */
  readonly future: FutureView | null;
  /** The address of the first page; null: this is the first page. */
  /** How far the entries are sealed; null: not at all, or that could not be read. */
  readonly sealed: { readonly words: string; readonly isWrong: boolean } | null;
  readonly newestUrl: string | null;
  /** The same list with fixed times, for somebody who opens it later; null: it has them, or is of all time. */
  readonly fixedUrl: string | null;
  /** Filters that many people want; none where something is filtered already. */
  readonly builtIn: readonly LinkView[];
}

export interface LinkView {
  readonly words: string;
  readonly url: string;
}

export interface FutureView {
  readonly words: string;
  readonly url: string;
  readonly linkWords: string;
}

export interface RowsView {
  /** What a search looks for, to be marked. */
  readonly terms: readonly string[];
  readonly rows: readonly EntryRow[];
  readonly more: MoreView;
  /** null: the search leaves nothing out. */
  readonly leftOut: LeftOutView | null;
  readonly status: string;
}

export interface EntryRow {
  readonly id: string;
  readonly url: string;
  readonly eventType: string;
  readonly actor: string | null;
  /** null: there is none, or it is shown in place of the name. */
  readonly actorId: string | null;
  readonly sign: SessionSign | null;
  readonly project: string | null;
  /** In a line, from the payload; null: it does not say. */
  readonly what: { readonly short: string; readonly full: string } | null;
  readonly occurredAt: string;
  readonly excerpt: string | null;
  /** Too large to search: it may or may not hold the text. */
  readonly isUnsearched: boolean;
}

export type MoreView =
  | { readonly kind: 'older'; readonly url: string; readonly partUrl: string }
  /** The time for one answer ran out before the page was full. */
  | {
      readonly kind: 'continue';
      readonly url: string;
      readonly partUrl: string;
      readonly searchedBackTo: string;
      /** Many entries are not in the search index yet and are read one by one. */
      readonly isIndexBehind: boolean;
      /** The browser continues automatically. */
      readonly isAutomatic: boolean;
    }
  | {
      readonly kind: 'end';
      readonly words: string;
      readonly allTimeUrl: string | null;
      /** How long entries are kept. */
      readonly retentionUrl: string;
    };

/** Entries that a search left out, and the same search of them alone. */
export interface LeftOutView {
  readonly words: string;
  readonly url: string;
}

export interface EmptyView {
  readonly title: string;
  readonly words: string;
  readonly allTimeUrl: string | null;
  readonly clearUrl: string | null;
  /** There is no entry at all. */
  readonly isStart: boolean;
  /** SQL that writes a first entry; null: there are entries, or the viewer cannot run it. */
  readonly example: string | null;
}

export interface NewerView {
  readonly count: number;
  /** There may be more than `count`. */
  readonly isCapped: boolean;
  readonly url: string;
}
