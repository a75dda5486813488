/** The data of the bars that show how requests to a destination went. */

/** A drawing: a bar for each day or hour, the oldest first. */
export interface BarsView {
  readonly width: number;
  readonly height: number;
  readonly bars: readonly BarView[];
}

export interface BarView {
  /** `2026-01-31`, or RFC 3339 of an hour; in UTC. */
  readonly label: string;
  readonly words: string;
  /** Units of the drawing: heights of all requests, and of those that failed. */
  readonly x: number;
  readonly all: number;
  readonly failed: number;
}

export interface DayView extends BarsView {
  /** Says what the drawing shows. */
  readonly words: string;
}
