/** One stream while this replica has it: its config, position, endpoint and health, and how it sends. */
import type { StreamIdentity } from '../model/entry.ts';
import type { ExportConfig } from '../model/exportConfig.ts';
import type { Failed, Outcome } from '../model/outcome.ts';
import type { StreamRow } from '../model/stream.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { StreamMetrics } from '../telemetry/streamMetrics.ts';
import { type Answered, Attempts } from './attempts.ts';
import type { DeliveryContext } from './deliveryContext.ts';
import { Endpoint } from './endpoint.ts';
import { HealthTracker } from './healthTracker.ts';
import { ReadPace } from './readPace.ts';
import type { AttemptOptions } from './send.ts';
import { StreamPosition } from './streamPosition.ts';

/** What one piece of work came to. */
export type Step =
  | { readonly kind: 'again' }
  /** Everything in the window is settled. */
  | { readonly kind: 'finished' }
  /** Nothing gets through: come back later. */
  | { readonly kind: 'wait'; readonly outcome: Failed }
  | { readonly kind: 'lease-lost' };

export interface Signals {
  /** A changed config, or a stop: end as soon as what is in flight is answered. */
  readonly interrupt: AbortSignal;
  /** End even that. */
  readonly abort: AbortSignal;
}

export class Stream {
  readonly shared: DeliveryContext;
  readonly id: string;
  readonly organization: string;
  readonly identity: StreamIdentity;
  readonly log: Logger;
  readonly metrics: StreamMetrics;
  readonly position: StreamPosition;
  readonly endpoint: Endpoint;
  readonly health: HealthTracker;
  readonly readPace = new ReadPace();
  readonly attempts: Attempts;
  /** See `updateConfig`. */
  config: ExportConfig;

  /** `onHealthChange` is called when its activity or failure changed; must not throw. `replayMetrics`: the row is one of a replay. */
  constructor(
    shared: DeliveryContext,
    row: StreamRow,
    config: ExportConfig,
    onHealthChange: (stream: Stream) => void,
    replayMetrics?: StreamMetrics,
  ) {
    const { namespace, name } = config;
    const { id, organization } = row;
    const { serviceName, version } = shared.options;
    this.shared = shared;
    this.id = id;
    this.organization = organization;
    this.identity = {
      serviceName,
      organization,
      streamId: id,
      version,
      ...(replayMetrics && { replayId: id }),
    };
    this.log = shared.log.child({ config: `${namespace}/${name}`, organization, stream: id });
    this.metrics = replayMetrics ?? shared.metrics.forStream({ namespace, name, organization });
    this.position = new StreamPosition(shared.db, row, this.log);
    this.endpoint = new Endpoint(shared.options);
    this.attempts = new Attempts(shared.now ?? Date.now);
    this.health = new HealthTracker({
      ...(shared.now ? { now: shared.now } : {}),
      position: this.position,
      log: this.log,
      metrics: this.metrics,
      missingEvidence: shared.missingEvidence,
      onChange: () => onHealthChange(this),
    });
    this.config = config;
  }

  /** Takes over a changed manifest or Secret: back-offs start over, and a changed endpoint is a stranger. */
  updateConfig(config: ExportConfig): void {
    const isSameEndpoint = this.config.destination.fingerprint === config.destination.fingerprint;
    this.config = config;
    if (isSameEndpoint) this.endpoint.resetBackoffs();
    else this.endpoint.forget();
    this.health.awaitNews();
  }

  /**
   * One attempt over the stream's own share of connections and look-ups, measured. `body` holds `records` records, of these sequence
   * numbers.
   */
  async send(
    body: Uint8Array,
    records: number,
    abort: AbortSignal,
    { numbers, ...options }: Pick<AttemptOptions, 'freshConnection'> & Pick<Answered, 'numbers'> = {},
  ): Promise<Outcome | 'aborted'> {
    const startedAt = performance.now();
    const { id: stream, organization } = this;
    const answered = await this.shared.send(this.config.destination, body, abort, {
      stream,
      organization,
      ...options,
    });
    if (answered === 'aborted') return answered;
    const outcome = refuseIfAllRejected(answered, records);
    const durationMs = performance.now() - startedAt;
    this.endpoint.pace.answered(durationMs);
    this.attempts.add({ outcome, records, durationMs, ...(numbers && { numbers }) });
    this.metrics.observeRequest({
      outcome: outcome.kind,
      ...(outcome.kind === 'settled' ? {} : { reason: outcome.reason }),
      durationMs,
      records,
      bytes: body.length,
    });
    return outcome;
  }
}

/**
 * A partial success that rejects every record says which: none of them got through. So it is a refusal like any other, which is
 * looked into, and no entry counts as done that the receiver does not have.
 */
function refuseIfAllRejected(outcome: Outcome, records: number): Outcome {
  if (outcome.kind !== 'settled' || outcome.rejected < records) return outcome;
  const what = records === 1 ? 'the only record' : `all ${records} records`;
  const words = outcome.message === '' ? '' : ` It says: "${outcome.message}"`;
  const message = `The receiver took the request but rejected ${what} of it.${words}`;
  return { kind: 'refused', reason: 'EntryRefused', message };
}
