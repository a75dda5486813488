/** The data of one entry's view. */
import type { SessionSign } from '../format/sessionWords.ts';

export interface EntryDetailView {
  readonly eventType: string;
  readonly occurredAt: string;
  /** About when the entry was written, if that is more than a day from `occurredAt`. */
  readonly recordedAbout: string | null;
  readonly sign: SessionSign | null;
  readonly facts: ReadonlyArray<{
    readonly label: string;
    readonly value: string;
    readonly isMono: boolean;
    /** The list filtered by this value; null: it cannot be filtered by. */
    readonly filterUrl: string | null;
  }>;
  /** In a line, from the payload; null: it does not say. */
  readonly what: string | null;
  readonly changes: ReadonlyArray<{
    /** Empty: the payload itself. */
    readonly path: string;
    /** JSON text, cut where it is very long; null: there is no value. */
    readonly before: string | null;
    readonly after: string | null;
  }>;
  /** There are more of them than are shown. */
  readonly isChangesCut: boolean;
  /** Lists of what happened around it. */
  readonly around: ReadonlyArray<{ readonly words: string; readonly url: string }>;
  readonly actor: string | null;
  /** Metadata as text, or its beginning; null: it is too large to be text. */
  readonly payload: string | null;
  readonly isCut: boolean;
  /** Says why the payload is not shown whole; empty: it is. */
  readonly payloadNote: string;
  readonly filterUrl: (document: string) => string;
  readonly maxNodes: number;
  /** The same view with everything shown; null: everything is shown. */
  readonly wholeUrl: string | null;
  readonly deliveries: readonly DeliveryView[];
  /** How many destinations are in which state. */
  readonly deliveryCounts: ReadonlyArray<
    Pick<DeliveryView, 'tone' | 'icon' | 'word'> & { readonly count: number }
  >;
  /** null: it is not sealed yet, or that could not be read. */
  readonly sealed: SealView | null;
  readonly jsonUrl: string;
  readonly listUrl: string;
  readonly exportUrl: string;
  /** The neighbour within the filter; null: there is none. */
  readonly newerUrl: string | null;
  readonly olderUrl: string | null;
}

export interface SealView {
  /** From 1, for people. */
  readonly number: string;
  /** Hexadecimal; null: the entry could not be read when it was sealed. */
  readonly fingerprint: string | null;
  readonly proofUrl: string;
}

export interface DeliveryView {
  readonly destination: string;
  readonly tone: 'good' | 'warn' | 'bad' | 'idle';
  readonly icon: string;
  readonly word: string;
  /** Empty: the word says everything. */
  readonly detail: string;
  readonly times: ReadonlyArray<{ readonly label: string; readonly at: string }>;
  /** Where somebody can do something about it; null: nobody can, or need. */
  readonly link: { readonly url: string; readonly words: string } | null;
}
