/** The data of the histogram's view. */
export type HistogramView =
  /** The browser asks for it after the list. */
  | { readonly kind: 'place'; readonly url: string; readonly overviewUrl: string }
  /** Nothing to show: the list says so. */
  | { readonly kind: 'empty'; readonly status: string }
  | {
      readonly kind: 'bars';
      /** Such as `1,204 entries` or `≥ 410,000 entries`; null: nothing was counted in time, so what the list says stays. */
      readonly status: string | null;
      /** Sentences: what was counted, and what is not drawn. */
      readonly notes: readonly string[];
      /** Each bar, such as `12 hours`; of all but the first and the last. */
      readonly step: string;
      /** Where the axis begins and ends, RFC 3339. */
      readonly from: string;
      readonly to: string;
      readonly width: number;
      readonly height: number;
      readonly bars: readonly BarView[];
    };

export interface BarView {
  /** The list of its time range. */
  readonly url: string;
  /** UTC, as in an address. */
  readonly from: string;
  readonly to: string;
  /** Such as `12 entries` or `≥ 12 entries`. */
  readonly words: string;
  /** In UTC. */
  readonly when: string;
  readonly isCounted: boolean;
  /** Units of the drawing. */
  readonly x: number;
  readonly y: number;
  readonly height: number;
}
