/** The health of a stream that has delivered everything: what tests of the status begin with. */
import type { StreamHealth } from '../src/model/streamHealth.ts';

export const idleHealth: StreamHealth = {
  activity: 'idle',
  failure: null,
  lastError: null,
  delivered: 5,
  rejected: 0,
  parked: 0,
  isBehind: false,
  pending: 0,
  oldestPendingAt: null,
  ratePerSecond: 0,
  lastDeliveryAt: null,
};
