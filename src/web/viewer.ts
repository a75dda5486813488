/** Who asks, as far as the page cares. */
export interface Viewer {
  /** Stable; what the page's own audit entries carry as actor. */
  readonly id: string;
  readonly name: string | null;
  /** Organizations whose admin it is. `all` only in local mode. */
  readonly administers: ReadonlySet<string> | 'all';
}

export function isAdmin(viewer: Viewer, organization: string): boolean {
  return viewer.administers === 'all' || viewer.administers.has(organization);
}
