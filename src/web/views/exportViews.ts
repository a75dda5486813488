/** The data that the views of the drawer take, apart from the form (formViews.ts). Everything is said here: the views only lay it out. */
import type { DayView } from './barsViews.ts';

/** What every view of the drawer has. */
export interface ExportFrame {
  readonly organization: string;
  /** Where closing the drawer leads. */
  readonly auditLogsUrl: string;
  readonly listUrl: string;
  readonly newUrl: string;
}

export type Tone = 'good' | 'warn' | 'bad' | 'idle' | 'info';

export interface NoticeView {
  readonly tone: Tone;
  /** Empty: none. */
  readonly title: string;
  readonly text: string;
}

export interface BadgeView {
  readonly tone: Tone;
  /** A name in icons.svg. */
  readonly icon: string;
  readonly word: string;
}

export interface FactView {
  readonly label: string;
  /** Empty: `time` says it. */
  readonly value: string;
  /** RFC 3339; null: `value` is not a time. */
  readonly time: string | null;
}

/** The latest failure, or what is wrong with the manifest. */
export interface ErrorView {
  readonly tone: Tone;
  readonly title: string;
  /** RFC 3339. */
  readonly time: string | null;
  readonly httpStatus: string | null;
  readonly message: string;
  readonly advice: string;
  /** When it was over; null: it stands. */
  readonly resolved: string | null;
  /** Offers a try at once, and says when the next one is otherwise; null: that would change nothing. */
  readonly retry: { readonly pace: string; readonly nextTryAt: string | null } | null;
}

export interface ExportStateView {
  readonly frame: ExportFrame;
  readonly stateUrl: string;
  readonly badge: BadgeView;
  /** One or two sentences under the badge. */
  readonly sentence: string;
  /** RFC 3339: since when it is so; null: not known, or of no interest. */
  readonly since: string | null;
  readonly errors: readonly ErrorView[];
  readonly facts: readonly FactView[];
  readonly parked: ParkedListView | null;
  /** The latest replay of a range, until a day after its end. */
  readonly replay: ReplayView | null;
}

export interface ParkedEntryView {
  readonly url: string;
  readonly id: string;
  /** Sequence number. */
  readonly number: string;
  /** RFC 3339. */
  readonly at: string;
  readonly eventType: string;
  readonly why: string;
  readonly isRequested: boolean;
}

export interface ExportParkedView {
  readonly frame: ExportFrame;
  readonly name: string;
  readonly notices: readonly NoticeView[];
  readonly count: string;
  readonly entries: readonly ParkedEntryView[];
  /** The number of the last one of the page before; 0: this is the first. */
  readonly after: number;
  readonly parkedUrl: string;
  readonly moreUrl: string | null;
  readonly backUrl: string;
}

export interface ParkedListView {
  readonly count: string;
  readonly entries: readonly ParkedEntryView[];
  readonly allUrl: string;
  /** Beyond those listed. */
  readonly more: number;
}

export interface ExportCardView {
  readonly url: string;
  readonly name: string;
  readonly endpoint: string;
  readonly badge: BadgeView;
  readonly error: ErrorView | null;
  readonly facts: readonly FactView[];
  /** null: nothing was ever sent, or how it went is not known. */
  readonly day: DayView | null;
}

export interface ExportListView {
  readonly frame: ExportFrame;
  readonly notices: readonly NoticeView[];
  readonly destinations: readonly ExportCardView[];
  /** False: the list could not be read; a notice says why. */
  readonly isKnown: boolean;
  readonly canAdd: boolean;
}

export interface ReplayView {
  readonly id: string;
  /** RFC 3339, as is `askedAt`. */
  readonly since: string;
  readonly until: string;
  readonly askedAt: string;
  readonly askedBy: string | null;
  readonly badge: BadgeView;
  readonly message: string;
  readonly canCancel: boolean;
}

export interface ExportAgainView {
  readonly frame: ExportFrame;
  readonly notices: readonly NoticeView[];
  readonly name: string;
  /** Values of `datetime-local` inputs, in UTC. */
  readonly from: string;
  readonly until: string;
  /** How many entries will be sent, in a sentence; null: not asked for. */
  readonly count: string | null;
  readonly replays: readonly ReplayView[];
  readonly againUrl: string;
  readonly cancelUrl: string;
  readonly backUrl: string;
}

export interface ExportDeleteView {
  readonly frame: ExportFrame;
  readonly notices: readonly NoticeView[];
  readonly name: string;
  readonly host: string;
  readonly consequence: string;
  readonly parked: string;
  readonly deleteUrl: string;
  readonly backUrl: string;
  readonly revision: string;
}

export interface ExportMessageView {
  readonly frame: ExportFrame;
  readonly title: string;
  readonly text: string;
}
