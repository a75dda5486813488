/** The data that the form of the Configure OTEL Export drawer takes. Everything is said here: the views only lay it out. */
import type { Field } from '../../configs/fields.ts';
import type { ExportFrame, ExportStateView, NoticeView, Tone } from './exportViews.ts';

export interface FieldView {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly hint: string;
  readonly problem: string | null;
  /** Who owns it instead of the page; null: it can be changed here. */
  readonly owner: string | null;
  /** Ids for aria-describedby; empty: none. */
  readonly describedBy: string;
}

/** A field that is laid out by how it is typed. */
export interface InputView
  extends FieldView,
    Pick<Field, 'input'>,
    Partial<Pick<Field, 'min' | 'max' | 'maxLength' | 'options' | 'placeholder' | 'warning'>> {
  /** A check that removes what is stored; absent: there is nothing to remove. */
  readonly remove?: { readonly name: string; readonly label: string };
}

export interface HeaderRowView {
  readonly index: number;
  readonly number: number;
  readonly name: FieldView;
  readonly value: FieldView;
  /** In the empty input of a value that is not stored; empty: nothing. */
  readonly placeholder: string;
  /** A value is stored; `Secret NAME/KEY` if it is not the page's own. */
  readonly stored: string | null;
  /** Who owns it, so that it is read-only; null: nobody else. */
  readonly owner: string | null;
  /** The name input gets the focus. */
  readonly isNew: boolean;
}

export interface HeadersView {
  /** Other rows than those that are stored. */
  readonly isUnsaved: boolean;
  readonly frame: ExportFrame;
  readonly formUrl: string;
  readonly rows: readonly HeaderRowView[];
  readonly problem: string | null;
  /** Who keeps others from adding one; null: nobody. */
  readonly owner: string | null;
}

export interface ProblemLink {
  /** `#field-endpoint`; null: it is about the whole. */
  readonly href: string | null;
  readonly message: string;
}

export interface ExportFormView {
  readonly frame: ExportFrame;
  readonly title: string;
  readonly isNew: boolean;
  /** Where the form is posted to. */
  readonly formUrl: string;
  readonly testUrl: string;
  /** It holds what was typed and not what is stored. */
  readonly isUnsaved: boolean;
  /** Ways to fill in a new one; null: it is stored. */
  readonly setup: SetupView | null;
  /** What is wrong with an endpoint that cannot be used, as far as its text shows it. */
  readonly endpointRemedy: RemedyView | null;
  readonly notices: readonly NoticeView[];
  readonly problems: readonly ProblemLink[];
  /** Someone else saved while the form was open. */
  readonly conflict: ConflictView | null;
  readonly state: ExportStateView | null;
  readonly revision: string;
  /** Made once for each form of a new destination; null: it is not new. */
  readonly formId: string | null;
  readonly name: InputView;
  readonly endpoint: InputView;
  readonly endpointAbout: EndpointAboutView;
  readonly headers: HeadersView;
  /** Fields by section; what has markup of its own stands beside them. */
  readonly main: readonly InputView[];
  readonly isAdvancedOpen: boolean;
  /** null: it was set once. */
  readonly start: StartView | null;
  readonly startFrom: FieldView;
  readonly startTime: FieldView;
  readonly sending: readonly InputView[];
  readonly tls: readonly InputView[];
  readonly filter: readonly InputView[];
  readonly test: TestView | null;
  readonly record: RecordView | null;
  readonly actions: ActionsView | null;
  /** Why nothing can be changed here; null: it can. */
  readonly readOnly: string | null;
}

/** A known receiver, or a pasted configuration, from which the form is filled. */
export interface SetupView {
  readonly formUrl: string;
  readonly isOpen: boolean;
  readonly receivers: ReadonlyArray<{ readonly id: string; readonly name: string }>;
  /** What the form was filled from, as it is posted; empty: nothing. */
  readonly filledFrom: string;
  /** The receiver that the form was filled for; empty: none. */
  readonly chosen: string;
  /** What to do there; null: none was chosen. */
  readonly about: { readonly name: string; readonly text: string; readonly source: string } | null;
  /** What was just filled in; empty: nothing was. */
  readonly title: string;
  /** What was replaced, kept, or not taken; one sentence each. */
  readonly says: readonly string[];
}

/** A record as it would be sent, and a command that sends one like it. */
export interface RecordView {
  readonly title: string;
  readonly about: string;
  /** OTLP/JSON; of a large one its beginning. */
  readonly json: string;
  /** Empty: all of it is shown. */
  readonly cut: string;
  readonly command: string;
  readonly commandAbout: string;
}

export interface StartView {
  /** The last says how many entries go at once; empty: not known yet. */
  readonly choices: ReadonlyArray<readonly [value: string, label: string, count: string]>;
}

export interface EndpointAboutView {
  /** What will be posted to; null: it cannot be read yet. */
  readonly resolvedUrl: string | null;
  readonly isHttp: boolean;
}

export interface ConflictView {
  readonly currentUrl: string;
  /** `Ada saved it 2 minutes ago.`, as far as known. */
  readonly who: string;
  readonly differences: ReadonlyArray<{
    readonly label: string;
    readonly stored: string;
    readonly typed: string;
  }>;
}

export interface TestView {
  readonly frame: ExportFrame;
  readonly tone: Tone;
  readonly title: string;
  readonly message: string;
  readonly advice: string;
  /** The destination was not added because of this, unless the viewer says so. */
  readonly asksToAdd: boolean;
  /** Where the buttons of remedies are posted to. */
  readonly testUrl: string;
  readonly remedies: readonly RemedyView[];
  /** What the receiver presented; null: it does not matter. */
  readonly certificate: { readonly facts: ReadonlyArray<readonly [label: string, value: string]> } | null;
}

export interface RemedyView {
  readonly says: string;
  /** A button that changes the input `id`, or null. `posted` does the same without a script. */
  readonly fix: {
    readonly label: string;
    readonly posted: string;
    readonly id: string;
    readonly value: string;
    /** `value` goes before what is typed. */
    readonly isPrefix: boolean;
  } | null;
}

export interface ActionsView {
  readonly suspend: { readonly url: string; readonly isSuspended: boolean; readonly owner: string | null };
  readonly retryUrl: string;
  readonly replay: { readonly url: string; readonly count: number } | null;
  readonly historyUrl: string;
  readonly againUrl: string;
  readonly deleteUrl: string;
  readonly deleteRefusal: string | null;
}
