/**
 * Writes an audit entry when a config is created, changed or deleted outside the page: with kubectl, by a pipeline,
 * or in a file.
 *
 * Promises:
 *  - Once: the last recorded state is kept with the stream, and moves by compare-and-set in the statement that writes the entry.
 *  - What the page has recorded is not recorded again; if in doubt, it is.
 *  - Entries have names of fields, their old and new values, and never a secret.
 */
import type { Database } from './pool.ts';

export interface ConfigNote {
  readonly configKey: string;
  readonly organization: string;
  /** The name that the page's entries use. */
  readonly destination: string;
  /** Where configs come from: for another place it is unknown which configs are gone. */
  readonly scope: string;
  /** Grows with each change; null: it is unknown which of two is older. */
  readonly generation: number | null;
  /** Values by field name; a name that ends in `(…)` has a hash as its value, which is not recorded. */
  readonly fields: Fields;
}

type Fields = Readonly<Record<string, unknown>>;

/** The state as `audit.streams.config` keeps it. */
type Kept = Omit<ConfigNote, 'configKey' | 'organization'>;

interface Row {
  readonly organization: string;
  /** Text, for the comparison; null: unknown. */
  readonly config: string | null;
  /** How long ago a change can be and still be unrecorded. */
  readonly kept: Kept | null;
  /**
   * Id of the last entry of the page that a note was left out for: it excuses no other. null: there is none. It stays with the stream
   * when its config goes: the next one of its name may come soon.
   */
  readonly told: string | null;
  /** How long ago it can have been changed without having been noted. */
  readonly since: string;
  readonly createdAt: string;
}

interface Own {
  readonly id: string;
  readonly eventType: string;
  readonly metadata: OwnMetadata;
}

interface OwnMetadata {
  readonly changed?: readonly string[];
  readonly changes?: Readonly<Record<string, { readonly to?: unknown }>>;
}

const maxAttempts = 5;
const pageDeletion = 'audit_export.deleted';
/** Types of the entries that the page writes when it makes or changes an export. */
export const pageChanges = ['created', 'updated', 'suspended', 'resumed'].map(
  (action) => `audit_export.${action}`,
);

/** False: there is no stream for it yet, so call again. */
export async function noteConfig(db: Database, note: ConfigNote): Promise<boolean> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const rows = await readRows(db, note.configKey);
    const row = rows.find(({ organization }) => organization === note.organization);
    if (row === undefined) return false;
    // It names a different organization now: for the previous one it is gone.
    for (const other of rows) {
      if (other !== row) await noteDeletion(db, note.configKey, other.organization);
    }
    if (row.kept !== null && isNoNews(row.kept, note)) return true;
    const { configKey: _key, organization: _organization, ...kept } = note;
    const change = row.config === null ? null : await describeChange(db, row, note);
    const to = { ...kept, told: change?.told ?? row.told ?? undefined };
    if (await move(db, note.configKey, row, to, change?.entry ?? null)) return true;
  }
  return false;
}

/** Records that a config is gone. Does nothing if that is already recorded. */
export async function noteDeletion(db: Database, configKey: string, organization?: string): Promise<void> {
  for (const row of await readRows(db, configKey)) {
    if (row.kept === null || (organization !== undefined && row.organization !== organization)) continue;
    const { destination, scope } = row.kept;
    // One of before there was this stream was about another config of the name.
    const [own] = await readOwn(db, row, { destination, eventTypes: [pageDeletion], after: row.createdAt });
    const metadata = { destination, source: sourceOf(scope) };
    const entry = own === undefined ? { eventType: 'audit_export.config_deleted', metadata } : null;
    const to = { deleted: true, told: own?.id ?? row.told ?? undefined };
    await move(db, configKey, row, to, entry);
  }
}

/** Configs of that scope that were recorded once, and that no collector sends now. */
export async function listNotedKeys(db: Database, scope: string): Promise<string[]> {
  const result = await db.query<{ config_key: string }>(
    `select distinct s.config_key from audit.streams s
     where s.config ->> 'scope' = $1
       and not exists (select from audit.replicas r where r.id = s.holder and r.expires_at > now())`,
    [scope],
  );
  return result.rows.map((row) => row.config_key);
}

async function readRows(db: Database, configKey: string): Promise<Row[]> {
  const result = await db.query<Row>(
    `select s.organization, s.config::text, case when s.config ? 'fields' then s.config end as kept, s.config ->> 'told' as told,
       greatest(coalesce((s.config ->> 'at')::timestamptz, s.created_at) - interval '10 seconds', now() - interval '1 hour')::text as since,
       s.created_at::text as "createdAt"
     from audit.streams s where s.config_key = $1`,
    [configKey],
  );
  return result.rows;
}

function isNoNews(before: Kept, note: ConfigNote): boolean {
  // A change from a replica that is behind.
  if (before.generation !== null && note.generation !== null && before.generation > note.generation)
    return true;
  return before.destination === note.destination && findChanged(before.fields, note.fields).length === 0;
}

function findChanged(before: Fields, now: Fields): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter(
    (name) =>
      JSON.stringify(before[name]) !== JSON.stringify(now[name]) &&
      !(isHidden(name) && listValues(before, name).some((value) => listValues(now, name).includes(value))),
  );
}

/** For a header, its value, ignoring the case of its name, which is recorded with the names. */
function listValues(fields: Fields, name: string): unknown[] {
  return Object.keys(fields)
    .filter((each) => each.toLowerCase() === name.toLowerCase())
    .map((each) => fields[each]);
}

interface NewEntry {
  readonly eventType: string;
  readonly metadata: Record<string, unknown>;
}

async function describeChange(
  db: Database,
  row: Row,
  note: ConfigNote,
): Promise<{ readonly entry: NewEntry | null; readonly told: string | undefined }> {
  const { destination, scope, fields } = note;
  const before = row.kept;
  const changed = findChanged(before?.fields ?? {}, fields);
  const recent = await readOwn(db, row, { destination, eventTypes: [...pageChanges, pageDeletion] });
  // Entries before a deletion were about another config with the same name.
  const lastDeletion = recent.findIndex(({ eventType }) => eventType === pageDeletion);
  const own = lastDeletion === -1 ? recent : recent.slice(0, lastDeletion);
  // The page's last word about it: a change that it reverted is not the present state.
  const isTold = changed.every((name) => {
    const said = own
      .map(({ metadata }) => readTo(metadata, name, fields[name]))
      .find((to) => to !== undefined);
    return said === JSON.stringify(fields[name] ?? null);
  });
  const [latest] = isTold
    ? own.filter(({ metadata }) => changed.some((name) => readTo(metadata, name, fields[name]) !== undefined))
    : own;
  if (isTold) return { entry: null, told: latest?.id };
  const changes = changed
    .filter((name) => !isHidden(name))
    .map((name) => [name, { from: before?.fields[name] ?? null, to: fields[name] ?? null }]);
  const entry = {
    eventType: before === null ? 'audit_export.config_created' : 'audit_export.config_changed',
    metadata: { destination, source: sourceOf(scope), changed, changes: Object.fromEntries(changes) },
  };
  return { entry, told: latest?.id };
}

function isHidden(name: string): boolean {
  return name.endsWith(')');
}

/** As JSON, what an entry of the page says the field became, or for a hidden field that it became `to`; undefined: nothing. */
function readTo({ changed = [], changes = {} }: OwnMetadata, name: string, to: unknown): string | undefined {
  if (isHidden(name)) {
    const [field = ''] = name.split(' (', 1);
    const isTold =
      changed.includes(name) ||
      changed.includes(to === undefined && field.startsWith('headers.') ? 'headers' : field);
    return isTold ? JSON.stringify(to ?? null) : undefined;
  }
  const told = changes[name];
  if (told === undefined) return undefined;
  // The page records that an endpoint has a query, which is a separate field here.
  const said = typeof told.to === 'string' && name === 'endpoint' ? told.to.replace(/\?.*$/s, '') : told.to;
  return JSON.stringify(said ?? null);
}

/** Entries of the page about that destination since its last record, newest first. */
async function readOwn(
  db: Database,
  row: Row,
  about: { readonly destination: string; readonly eventTypes: readonly string[]; readonly after?: string },
): Promise<Own[]> {
  const { destination, eventTypes, after = row.since } = about;
  const result = await db.query<Own>(
    `select e.id::text, e.event_type as "eventType", e.metadata from audit.entries e
     where e.organization = $1 and e.event_type = any ($2)
       and e.occurred_at > greatest($3::timestamptz, $4::timestamptz)
       and e.metadata ->> 'destination' = $5 and e.id > $6::bigint
     order by e.occurred_at desc, e.id desc limit 100`,
    [row.organization, eventTypes, row.since, after, destination, row.told ?? '0'],
  );
  return result.rows;
}

/**
 * Stores the state together with the entry, if there is one to write. A config that is gone does not fail: one that comes back has a
 * clock of its own. False: another replica was faster.
 */
async function move(
  db: Database,
  configKey: string,
  { organization, config }: Row,
  to: object,
  entry: NewEntry | null,
): Promise<boolean> {
  const result = await db.query<{ moved: string }>(
    `with moved as (
       update audit.streams set config = $3::jsonb || jsonb_build_object('at', now()),
         outage = case when $3::jsonb ? 'deleted' then null else outage end
       where config_key = $1 and organization = $2 and config is not distinct from $4::jsonb
       returning organization
     ), told as (
       insert into audit.entries (organization, event_type, session_type, metadata)
       select organization, $5::text, 'system', $6::jsonb from moved where $5::text is not null
     )
     select count(*)::text as moved from moved`,
    [
      configKey,
      organization,
      JSON.stringify(to),
      config,
      entry?.eventType ?? null,
      entry && JSON.stringify(entry.metadata),
    ],
  );
  return result.rows[0]?.moved === '1';
}

function sourceOf(scope: string): string {
  return scope.split(' ', 1)[0] ?? '';
}
