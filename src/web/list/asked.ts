/** What somebody asks for: the entries of a filter, in one organization. */
import type { WebContext } from '../visit.ts';
import type { ParsedFilters } from './filters.ts';

export interface Asked {
  readonly context: WebContext;
  readonly organization: string;
  readonly parsed: ParsedFilters;
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal;
}
