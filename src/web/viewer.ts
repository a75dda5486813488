/** The person who is asking, as far as the page cares. */
export interface Viewer {
  /** Stable; the actor of the page's own audit entries. */
  readonly id: string;
  readonly name: string | null;
  /** The organizations this person administers. `all` only in local mode. */
  readonly administers: ReadonlySet<string> | 'all';
}

export function isAdmin(viewer: Viewer, organization: string): boolean {
  return viewer.administers === 'all' || viewer.administers.has(organization);
}
