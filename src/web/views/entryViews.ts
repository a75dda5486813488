/** What the view of one entry is given. */
import type { SessionSign } from '../format/sessionWords.ts';

export interface EntryDetailView {
  readonly eventType: string;
  readonly occurredAt: string;
  /** Where it is more than a day from that: about when it was written. */
  readonly recordedAbout: string | null;
  readonly sign: SessionSign | null;
  readonly facts: ReadonlyArray<{
    readonly label: string;
    readonly value: string;
    readonly isMono: boolean;
    /** The list filtered by it; null: that cannot be filtered by. */
    readonly filterUrl: string | null;
  }>;
  /** Metadata as text, or its beginning; null: it cannot be had as text. */
  readonly payload: string | null;
  readonly isCut: boolean;
  /** What is to be known of a payload that is not shown whole; empty: it is. */
  readonly payloadNote: string;
  readonly filterUrl: (document: string) => string;
  readonly maxNodes: number;
  /** The same with everything shown; null: this is it. */
  readonly wholeUrl: string | null;
  readonly deliveries: readonly DeliveryView[];
  readonly jsonUrl: string;
  readonly listUrl: string;
  readonly exportUrl: string;
  /** Within the filter; null: there is none. */
  readonly newerUrl: string | null;
  readonly olderUrl: string | null;
}

export interface DeliveryView {
  readonly destination: string;
  readonly tone: 'good' | 'warn' | 'bad' | 'idle';
  readonly icon: string;
  readonly word: string;
  /** Empty: the word says it all. */
  readonly detail: string;
  readonly times: ReadonlyArray<{ readonly label: string; readonly at: string }>;
}
