/**
 * The data that each view takes, by its name below `views/`. Here and not beside the handlers, so that handlers may import
 * the rendering and not the other way round; where one grows, it moves to a file of its own in `views/`.
 */
export interface Views {
  'audit-logs/page': AuditLogsView;
  'audit-logs/results': AuditLogsView;
  home: HomeView;
  problem: ProblemView;
}

export interface AuditLogsView {
  readonly organization: string;
}

export interface HomeView {
  readonly organizations: readonly string[];
}

export interface ProblemView {
  readonly title: string;
  /** One or two sentences: what it means and what to do. */
  readonly message: string;
  readonly link: { readonly url: string; readonly text: string } | null;
}
