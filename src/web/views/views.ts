/**
 * The data that each view takes, by its name below `views/`. Here and not beside the handlers, so that handlers may import
 * the rendering and not the other way round. The types of one feature stand in a file of their own beside this one.
 */
import type { EntryDetailView } from './entryViews.ts';
import type {
  EndpointAboutView,
  ExportDeleteView,
  ExportFormView,
  ExportListView,
  ExportMessageView,
  ExportStateView,
  HeadersView,
  TestView,
} from './exportViews.ts';
import type { AuditLogsView, FilterBarView, NewerView, ResultsView, RowsView } from './listViews.ts';

export interface Views {
  'audit-logs/entry': EntryDetailView;
  'audit-logs/filter-bar': FilterBarView;
  'audit-logs/main-part': AuditLogsView;
  'audit-logs/newer': NewerView;
  'audit-logs/page': AuditLogsView;
  'audit-logs/results-part': ResultsView;
  'audit-logs/rows-part': RowsView;
  'export/delete': ExportDeleteView;
  'export/destinations': ExportListView;
  'export/endpoint-about': EndpointAboutView;
  'export/form': ExportFormView;
  'export/headers': HeadersView;
  'export/list': ExportListView;
  'export/message': ExportMessageView;
  'export/state': ExportStateView;
  'export/test': TestView;
  home: HomeView;
  problem: ProblemView;
  'problem-part': ProblemPartView;
}

export interface HomeView {
  /** What was typed and cannot be one; null: nothing. */
  readonly unknown: string | null;
  readonly organizations: readonly string[];
}

export interface ProblemView {
  readonly title: string;
  /** One or two sentences: what it means and what to do. */
  readonly message: string;
  readonly link: { readonly url: string; readonly text: string } | null;
}

export interface ProblemPartView extends ProblemView {
  /** Of what it replaces. */
  readonly shape: 'drawer' | 'results' | 'row' | 'notice';
  /** To ask for the same once more; null: that would not help. */
  readonly retryUrl: string | null;
}
