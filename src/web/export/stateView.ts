/**
 * How a destination is doing, in words, an icon and a colour: from its status (conditions, pending) and its stream's row
 * (what moves between two writes of the status).
 */
import type { ParkedView } from '../../database/streamViews.ts';
import { adviceFor } from '../../model/reasons.ts';
import type { LastError } from '../../model/streamStatus.ts';
import type {
  BadgeView,
  ErrorView,
  ExportCardView,
  ExportStateView,
  FactView,
  ParkedListView,
} from '../views/exportViews.ts';
import { destinationUrl, makeFrame, withoutQuery } from './addresses.ts';
import type { StreamedConfig } from './destinations.ts';

const badges = {
  Delivering: { tone: 'good', icon: 'check' },
  'Catching up': { tone: 'good', icon: 'send' },
  Retrying: { tone: 'warn', icon: 'retry' },
  'Holding: needs you': { tone: 'bad', icon: 'error' },
  Suspended: { tone: 'idle', icon: 'pause' },
  Starting: { tone: 'idle', icon: 'clock' },
  'Problem in the configuration': { tone: 'bad', icon: 'alert' },
} as const satisfies Readonly<Record<string, Omit<BadgeView, 'word'>>>;

type StateWord = keyof typeof badges;

const sentences: Readonly<Record<StateWord, string>> = {
  Delivering: 'New entries are delivered within seconds.',
  'Catching up': 'Waiting entries are being delivered.',
  Retrying: 'The receiver isn’t accepting entries right now. They are kept and retried automatically.',
  'Holding: needs you': 'Nothing is delivered until someone fixes this. Every entry is kept.',
  Suspended: 'Entries are kept, and delivered once you resume.',
  Starting: 'The collector has not reported yet.',
  'Problem in the configuration': 'This configuration cannot be used. Every entry is kept.',
};

/** Once they are older than this, pending entries are a backlog, not just on their way. */
const catchingUpAfterMs = 30_000;

export function stateOf({ config }: StreamedConfig, now: number): StateWord {
  const { spec, status, problems } = config;
  if (problems.length > 0) return 'Problem in the configuration';
  if (spec.suspend) return 'Suspended';
  const ready = status?.conditions.find(({ type }) => type === 'Ready');
  // From before it was resumed.
  if (!ready || ready.reason === 'Suspended') return 'Starting';
  if (ready.status === 'True') {
    const oldest = status?.oldestPendingTime;
    const isBehind = oldest !== undefined && now - Date.parse(oldest) > catchingUpAfterMs;
    return (status?.pendingEntries ?? 0) > 0 && isBehind ? 'Catching up' : 'Delivering';
  }
  if (ready.status === 'Unknown') return 'Starting';
  return status?.conditions.some(({ type }) => type === 'Stalled') ? 'Holding: needs you' : 'Retrying';
}

export function makeStateView(
  organization: string,
  destination: StreamedConfig,
  parked: readonly ParkedView[],
  now: number,
): ExportStateView {
  const word = stateOf(destination, now);
  return {
    frame: makeFrame(organization),
    stateUrl: `${destinationUrl(organization, destination.config.id)}/state`,
    badge: { ...badges[word], word },
    sentence: sentences[word],
    errors: makeErrors(destination, word),
    facts: makeFacts(destination),
    parked: makeParked(organization, destination.stream?.parked ?? 0, parked),
  };
}

export function makeCard(organization: string, destination: StreamedConfig, now: number): ExportCardView {
  const { id, spec } = destination.config;
  const word = stateOf(destination, now);
  return {
    url: destinationUrl(organization, id),
    name: id.name,
    endpoint: withoutQuery(spec.endpoint),
    badge: { ...badges[word], word },
    error: makeErrors(destination, word).find((error) => error.resolved === null) ?? null,
    facts: makeFacts(destination).filter(({ label }) => label !== 'Rejected'),
  };
}

function makeErrors(destination: StreamedConfig, word: StateWord): ErrorView[] {
  const { problems } = destination.config;
  const errors: ErrorView[] = problems.map((message) => ({
    tone: 'bad',
    title: 'Problem in the configuration',
    time: null,
    httpStatus: null,
    message,
    advice: '',
    resolved: null,
  }));
  const last = findLastError(destination);
  if (last === null) return errors;
  const isOver = last.resolvedTime !== undefined;
  errors.push({
    tone: isOver ? 'idle' : word === 'Holding: needs you' ? 'bad' : 'warn',
    title: isOver ? 'Last error, over since' : 'Most recent error',
    time: last.time,
    httpStatus: last.httpStatus === undefined ? null : `HTTP ${last.httpStatus}`,
    message: last.message,
    advice: isOver ? '' : adviceFor(last.reason),
    resolved: last.resolvedTime ?? null,
  });
  return errors;
}

/** The later of the two: the status may lag behind the row. */
function findLastError({ config, stream }: StreamedConfig): LastError | null {
  const known = [config.status?.lastError, stream?.lastError].filter((error) => error != null);
  const latest = (error: LastError): number => Date.parse(error.resolvedTime ?? error.time);
  return known.toSorted((a, b) => latest(b) - latest(a))[0] ?? null;
}

function makeFacts({ config, stream }: StreamedConfig): FactView[] {
  const { status } = config;
  const delivered = stream?.delivered ?? status?.deliveredEntries;
  const lastDelivery = stream?.lastDeliveryAt ?? status?.lastDeliveryTime ?? null;
  const pending = status?.pendingEntries;
  const parked = stream?.parked ?? status?.parkedEntries ?? 0;
  const rejected = stream?.rejected ?? status?.rejectedEntries ?? 0;
  return [
    fact('Delivered', delivered === undefined ? '–' : formatCount(delivered)),
    fact('Pending', pending === undefined ? '–' : formatCount(pending)),
    status?.oldestPendingTime !== undefined && (pending ?? 0) > 0
      ? { label: 'Oldest pending', value: '', time: status.oldestPendingTime }
      : fact('Oldest pending', '–'),
    lastDelivery === null
      ? fact('Last delivery', 'none yet')
      : { label: 'Last delivery', value: '', time: lastDelivery },
    ...(parked > 0 ? [fact('Parked', formatCount(parked))] : []),
    ...(rejected > 0 ? [fact('Rejected', formatCount(rejected))] : []),
  ];
}

function fact(label: string, value: string): FactView {
  return { label, value, time: null };
}

function makeParked(
  organization: string,
  count: number,
  entries: readonly ParkedView[],
): ParkedListView | null {
  if (count === 0) return null;
  const { auditLogsUrl } = makeFrame(organization);
  return {
    count: count === 1 ? '1 parked entry' : `${formatCount(count)} parked entries`,
    entries: entries.map((entry) => ({
      url: `${auditLogsUrl}/entries/${entry.entryId}`,
      id: entry.entryId,
      eventType: entry.eventType,
      why: `${entry.httpStatus === null ? '' : `HTTP ${entry.httpStatus}: `}${entry.message}`,
      isRequested: entry.replayRequested,
    })),
    more: Math.max(0, count - entries.length),
  };
}

/** `1,204`. */
export function formatCount(n: number): string {
  return n.toLocaleString('en-US');
}
