/** Turns what happens to a stream into its metrics. */
import type { StreamHealth } from '../model/streamHealth.ts';
import type { StreamMetrics, StreamState } from '../telemetry/streamMetrics.ts';
import type { ActiveStream, Send } from './context.ts';

/** The same `send`, each attempt measured. */
export function measured(send: Send, metrics: StreamMetrics): Send {
  return async (destination, body, records, signal, options) => {
    const startedAt = performance.now();
    const outcome = await send(destination, body, records, signal, options);
    if (outcome === 'aborted') return outcome;
    metrics.observeRequest({
      outcome: outcome.kind,
      ...(outcome.kind === 'settled' ? {} : { reason: outcome.reason }),
      durationMs: performance.now() - startedAt,
      records,
      bytes: body.length,
    });
    return outcome;
  };
}

/** The same `send`, on the stream's own share of connections and look-ups. */
export function sharedBy(send: Send, { row }: ActiveStream): Send {
  const owner = { stream: row.id, organization: row.organization };
  return (destination, body, records, signal, options) =>
    send(destination, body, records, signal, { ...owner, ...options });
}

/** A stream that delivers with more than this behind it is catching up. */
const catchUpFrom = 5_000;

export function showHealth(metrics: StreamMetrics, health: StreamHealth): void {
  const { pending, oldestPendingAt, parked, ratePerSecond } = health;
  const isCatchingUp = health.activity === 'delivering' && (pending ?? 0) >= catchUpFrom;
  metrics.setState(stateOf(health, isCatchingUp));
  metrics.setPending(pending);
  metrics.setOldestPending(oldestPendingAt === null ? null : new Date(oldestPendingAt));
  metrics.setParked(parked);
  metrics.setCatchUpRate(isCatchingUp ? ratePerSecond : 0);
}

function stateOf(health: StreamHealth, isCatchingUp: boolean): StreamState {
  switch (health.activity) {
    case 'starting':
    case 'idle':
      return 'idle';
    case 'delivering':
      return isCatchingUp ? 'catching-up' : 'delivering';
    case 'retrying':
    case 'database-unavailable':
      return 'retrying';
    case 'unclaimed':
    case 'held':
      return 'held';
    case 'suspended':
      return 'suspended';
  }
}
