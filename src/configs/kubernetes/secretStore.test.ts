import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { WatchEvent } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { SecretStore } from './secretStore.ts';

/** A namespace without Secrets, whose watch stays quiet. */
async function* quietWatch(signal: AbortSignal): AsyncGenerator<WatchEvent> {
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  yield { type: 'BOOKMARK', object: { metadata: { resourceVersion: '1', annotations } } };
  await delay(3_600_000, undefined, { signal });
}

const api: ApiClient = {
  server: 'test',
  close: async () => {},
  request: () => Promise.reject(new Error('there is nothing to read')),
  watch: async ({ signal }) => ({ kind: 'open', events: quietWatch(signal) }),
};

// Node's timers go by the time at which the turn of the event loop began, so they fire up to a turn too early.
test('a Secret that does not come is called missing by a timer that fires before its time', async () => {
  const told: string[] = [];
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const store = new SecretStore({
    api,
    policy: { consent: 'warn', own: [] },
    log: pino({ enabled: false }),
    onChange: (owner) => void told.push(`${owner} ${store.readiness(owner)}`),
    onRestart: () => {},
    retry: { initialMs: 50, maxMs: 500 },
    timing: {},
  });
  onTestFinished(() => store.stop());
  store.want('acme', 'trail', ['siem']);
  await vi.waitUntil(() => told.length > 0);
  expect(told).toEqual(['acme waiting']);
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual(['acme waiting', 'acme known']);
});
