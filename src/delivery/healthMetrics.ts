/** Shows the health of a stream in its metrics. */
import type { StreamHealth } from '../model/streamHealth.ts';
import type { StreamMetrics, StreamState } from '../telemetry/streamMetrics.ts';

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
    case 'holding':
      return 'holding';
    case 'suspended':
      return 'suspended';
  }
}
