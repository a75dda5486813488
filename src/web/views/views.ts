/**
 * The data that each view takes, by its name below `views/`. The types are here, not beside the handlers, so that handlers import
 * the rendering and not the other way round. Each feature's types have their own file beside this one.
 */
import type { EntryDetailView } from './entryViews.ts';
import type {
  ExportAgainView,
  ExportDeleteView,
  ExportListView,
  ExportMessageView,
  ExportParkedView,
  ExportStateView,
} from './exportViews.ts';
import type {
  EndpointAboutView,
  ExportFormView,
  HeadersView,
  RecordView,
  StartView,
  TestView,
} from './formViews.ts';
import type { HistogramView } from './histogramViews.ts';
import type { HistoryView } from './historyViews.ts';
import type {
  AuditLogsView,
  ExportTroubleView,
  FacetView,
  FilterBarView,
  NewerView,
  ResultsView,
  RowsView,
} from './listViews.ts';
import type { RetentionDrawerView } from './retentionViews.ts';

export interface Views {
  'audit-logs/entry': EntryDetailView;
  'audit-logs/facet-values': FacetView;
  'audit-logs/filter-bar': FilterBarView;
  'audit-logs/main-part': AuditLogsView;
  'audit-logs/newer': NewerView;
  'audit-logs/page': AuditLogsView;
  'audit-logs/results-part': ResultsView;
  'audit-logs/rows-part': RowsView;
  'audit-logs/trouble-part': ExportTroubleView;
  'export/again': ExportAgainView;
  'export/delete': ExportDeleteView;
  'export/destinations': ExportListView;
  'export/endpoint-about': EndpointAboutView;
  'export/form': ExportFormView;
  'export/headers': HeadersView;
  'export/history': HistoryView;
  'export/list': ExportListView;
  'export/parked': ExportParkedView;
  'export/message': ExportMessageView;
  'export/record': RecordView;
  'export/start-count': StartView['choices'][number];
  'export/state': ExportStateView;
  'export/test': TestView;
  'help/page': HelpView;
  'histogram/part': HistogramView;
  home: HomeView;
  'retention/page': RetentionDrawerView;
  problem: ProblemView;
  'problem-part': ProblemPartView;
}

export interface HelpView {
  readonly auditLogsUrl: string;
  readonly retentionUrl: string;
}

export interface HomeView {
  /** What was typed and is not a valid name; null: nothing. */
  readonly unknown: string | null;
  readonly organizations: readonly string[];
}

export interface ProblemView {
  readonly title: string;
  /** One or two sentences: what happened and what to do. */
  readonly message: string;
  readonly link?: { readonly url: string; readonly text: string; readonly isNewTab?: boolean };
}

export interface ProblemPartView extends ProblemView {
  /** The shape of what it replaces. */
  readonly shape: 'drawer' | 'results' | 'row' | 'notice';
  /** The address to try again; null: that would not help. */
  readonly retryUrl: string | null;
}
