/** Reads what the drawer of one entry shows. */
import type { EditableSpec } from '../../configs/configEditor.ts';
import { readDeliveries } from '../../database/deliveries.ts';
import { type EntryView, readShownEntry, type ShownEntry } from '../../database/entries.ts';
import { readStreams } from '../../database/streamViews.ts';
import type { EntryFilter } from '../../model/exportConfig.ts';
import { findEntries } from '../../search/findEntries.ts';
import { destinationUrl } from '../export/addresses.ts';
import { findLastError, stateOf } from '../export/destinationState.ts';
import { joinStreams } from '../export/joinStreams.ts';
import { describeSession, signOfSession } from '../format/sessionWords.ts';
import { readSeal } from '../ledger/serveLedger.ts';
import { isFilterValue } from '../list/filterRow.ts';
import { toEntryQuery, toSearch } from '../list/filters.ts';
import type { Filters } from '../list/filterTable.ts';
import { entryUrl, logsUrl } from '../urls.ts';
import type { DeliveryView, EntryDetailView } from '../views/entryViews.ts';
import type { WebContext } from '../visit.ts';
import { cutText, mostPrinted, printWhat, summarize } from '../what/summarize.ts';
import { listAround } from './around.ts';
import { describeDelivery } from './describeDelivery.ts';

export interface EntryRequest {
  readonly context: WebContext;
  readonly organization: string;
  readonly id: string;
  /** What the list is filtered by. */
  readonly filters: Filters;
  /** Show the whole payload, as far as a browser can handle it. */
  readonly isWhole: boolean;
  readonly signal: AbortSignal;
}

const maxNodes = 400;
const maxNodesWhole = 20_000;
/** Parsing and writing these takes tens of milliseconds, during which nobody else is served. */
const mostCharacters = 256 * 1024;

/** A table of more of them is no easier to read than the payload. */
const mostChanges = 100;

/** How long to look for a neighbour in a filter that few entries match; after that the arrow is disabled. */
const neighbourBudgetMs = 400;
/** How many deleted destinations are still shown. */
const mostDeleted = 10;

/** null: the organization has no such entry. */
export async function readEntryView(entryRequest: EntryRequest): Promise<EntryDetailView | null> {
  const { context, organization, id, filters, isWhole } = entryRequest;
  const entry = await readShownEntry(context.db, organization, id, mostCharacters);
  if (entry === null) return null;
  const [newerUrl, olderUrl, sealed, deliveries] = await Promise.all([
    findNeighbour(entryRequest, entry, 'newer'),
    findNeighbour(entryRequest, entry, 'older'),
    readSeal(context.db, organization, id).catch((error: unknown) => {
      context.log.warn({ err: error }, 'page: the ledger could not be read');
      return null;
    }),
    readDeliveryViews(context, organization, id),
  ]);
  const { payload } = entry;
  const what =
    payload && !payload.isCut ? summarize(payload.text, entry.eventType, mostCharacters * 4) : null;
  const search = toSearch(filters);
  const here = entryUrl(organization, id, search);
  return {
    eventType: entry.eventType,
    occurredAt: entry.occurredAt,
    recordedAbout: entry.recordedAbout,
    sign: signOfSession(entry.sessionType),
    what: what && printWhat(what, mostPrinted),
    changes: (what?.changes ?? []).slice(0, mostChanges).map(({ path, before, after }) => ({
      path: cutText(path, mostPrinted),
      before: before && cutText(before, mostPrinted),
      after: after && cutText(after, mostPrinted),
    })),
    isChangesCut: (what?.changes.length ?? 0) > mostChanges,
    around: listAround(entry, what?.target ?? null, organization),
    actor: entry.actorName ?? entry.actorId,
    facts: listFacts(entry, organization, filters),
    payload: entry.payload?.text ?? null,
    isCut: entry.payload?.isCut ?? false,
    payloadNote: describePayload(entry.payload, mostCharacters),
    filterUrl: (document) =>
      logsUrl(organization, toSearch({ ...filters, has: [...new Set([...filters.has, document])].sort() })),
    maxNodes: isWhole ? maxNodesWhole : maxNodes,
    wholeUrl: isWhole ? null : `${here}${search === '' ? '?' : '&'}whole=1`,
    deliveries,
    deliveryCounts: [...Map.groupBy(deliveries, ({ word }) => word).values()].flatMap(([first, ...others]) =>
      first ? [{ tone: first.tone, icon: first.icon, word: first.word, count: others.length + 1 }] : [],
    ),
    sealed,
    jsonUrl: `${entryUrl(organization, id)}/json`,
    listUrl: logsUrl(organization, search),
    exportUrl: logsUrl(organization, '', '/export'),
    newerUrl,
    olderUrl,
  };
}

/** Empty: the whole payload is shown. */
function describePayload(payload: ShownEntry['payload'], characters: number): string {
  if (payload === null)
    return 'This payload is too large to show as text. It is still in the table, exactly as written.';
  if (!payload.isCut) return '';
  const shown = `${characters / 1024} KiB`;
  return `The first ${shown} of ${formatMebibytes(payload.bytes)} are shown. Raw JSON and downloads have all of it.`;
}

function formatMebibytes(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** Marks a value that the database has cut after 1,000 characters. */
function shownValue(value: string): string {
  return value.length >= 1_000 ? `${value}…` : value;
}

function listFacts(entry: EntryView, organization: string, filters: Filters): EntryDetailView['facts'] {
  const filterUrl = (value: string, more: Partial<Filters>): string | null =>
    isFilterValue(value) ? logsUrl(organization, toSearch({ ...filters, ...more })) : null;
  const fact = (label: string, value: string, filteredUrl: string | null, isMono = false) => ({
    label,
    value: shownValue(value),
    isMono,
    filterUrl: filteredUrl,
  });
  const { eventType, actorId, actorName, sessionType, project } = entry;
  const byActor = (actor: string | null) => (actor === null ? null : filterUrl(actor, { actors: [actor] }));
  return [
    fact('Event type', eventType, filterUrl(eventType, { eventTypes: [eventType] }), true),
    fact('Actor', actorName ?? actorId ?? 'Unknown', byActor(actorName)),
    ...(actorId === null ? [] : [fact('Actor id', actorId, byActor(actorId), true)]),
    fact(
      'Session type',
      describeSession(sessionType),
      filterUrl(sessionType, { sessionTypes: [sessionType] }),
    ),
    fact(
      'Project',
      project ?? 'None: an action on the organization',
      filterUrl(project ?? 'none', { projects: [project] }),
    ),
    fact('Entry id', entry.id, null, true),
    fact('UID', entry.uid, null, true),
  ];
}

async function findNeighbour(
  { context, organization, filters, signal }: EntryRequest,
  entry: EntryView,
  direction: 'newer' | 'older',
): Promise<string | null> {
  const query = toEntryQuery(filters, organization, new Date());
  const found = await findEntries(context.db, query, entry, {
    limit: 1,
    direction,
    budgetMs: neighbourBudgetMs,
    signal,
  });
  const id = found.entries[0]?.id;
  return id === undefined ? null : entryUrl(organization, id, toSearch(filters));
}

async function readDeliveryViews(
  context: WebContext,
  organization: string,
  id: string,
): Promise<DeliveryView[]> {
  const { db, editor, log } = context;
  const configs = await editor?.list(organization).catch((error: unknown) => {
    log.warn({ err: error }, 'page: the destinations could not be listed');
    return undefined;
  });
  const known = configs?.kind === 'ok' ? configs.value : null;
  const destinations = await joinStreams({ context, organization }, known ?? []);
  // An entry can be read while its streams cannot: their table may be locked.
  if (destinations.some(({ isDatabaseAway }) => isDatabaseAway))
    return destinations.map(({ config }) => ({ ...notKnown, destination: config.id.name }));
  const current = (known ?? []).flatMap(({ key }) => key ?? []);
  const filters = new Map((known ?? []).map(({ key, spec }) => [key ?? '', filterOf(spec)]));
  // Reads one more than is shown, to know whether there are more.
  const deliveries = await readDeliveries(db, organization, id, {
    ...{ current, filters, mostOthers: mostDeleted + 1 },
  });
  const others = deliveries.filter(({ configKey }) => !current.includes(configKey));
  const left = others.length > mostDeleted ? others[0] : undefined;
  const shown = deliveries.filter((delivery) => delivery !== left);
  const streams = await readStreams(
    db,
    organization,
    shown.map(({ configKey }) => configKey),
  );
  const readAt = Date.now();
  const views = shown.map(({ configKey, streamId, state }) => {
    const destination = destinations.find(({ config }) => config.key === configKey) ?? null;
    const stream = streams.find((each) => each.streamId === streamId);
    const common = {
      lastError: stream?.lastError ?? null,
      rejected: stream?.rejected ?? 0,
      isHeld: stream?.isHeld ?? false,
      clockSkewMs: stream === undefined ? 0 : Math.abs(readAt - Date.parse(stream.readAt)),
    };
    if (destination === null) {
      const gone = known ? 'deleted' : 'unknown';
      return describeDelivery({ ...common, name: nameOf(configKey), state: gone, url: null }, state);
    }
    const { config } = destination;
    return describeDelivery(
      {
        ...common,
        name: config.id.name,
        state: stateOf(destination, Date.now()),
        url: destinationUrl(organization, config.id),
        lastError: findLastError(destination),
      },
      state,
    );
  });
  return left === undefined ? views : [...views, earlierDestinations];
}

function filterOf(spec: EditableSpec): EntryFilter {
  return {
    eventTypes: spec['filter.eventTypes'],
    excludeEventTypes: spec['filter.excludeEventTypes'],
    projects: spec['filter.projects'],
  };
}

const notKnown: Omit<DeliveryView, 'destination'> = {
  tone: 'warn',
  icon: 'alert',
  word: 'Not known',
  detail: 'The database does not say right now whether it has this entry.',
  times: [],
  link: null,
};

const earlierDestinations: DeliveryView = {
  destination: 'Earlier destinations',
  tone: 'idle',
  icon: 'minus',
  word: 'Not shown',
  detail: `Only the ${mostDeleted} most recently deleted destinations are shown.`,
  times: [],
  link: null,
};

function nameOf(configKey: string): string {
  return configKey.split('/').at(-1) ?? configKey;
}
