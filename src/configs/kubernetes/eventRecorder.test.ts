import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { ApiAnswer } from './apiAnswer.ts';
import type { ApiRequest } from './apiClient.ts';
import { EventRecorder } from './eventRecorder.ts';
import { readObject } from './kubeObject.ts';

const config = readObject({ metadata: { name: 'acme', namespace: 'flows', uid: 'u', resourceVersion: '1' } });
if (config === null) throw new Error('no object');
const object = config;

function makeRecorder(answer: (request: ApiRequest) => ApiAnswer = () => ({ kind: 'ok', body: {} })) {
  const asked: ApiRequest[] = [];
  const logs: string[] = [];
  const clock = { now: Date.parse('2026-05-01T10:00:00Z') };
  const recorder = new EventRecorder({
    instance: 'replica-1',
    log: pino({}, { write: (line: string) => void logs.push(JSON.parse(line).msg) }),
    now: () => clock.now,
    api: {
      request: async (request) => {
        asked.push(request);
        return answer(request);
      },
    },
  });
  return {
    logs,
    asked,
    clock,
    async record(reason: string, message = 'x') {
      recorder.record(object, { type: 'Warning', reason, message });
      for (let turns = 0; turns < 20; turns++) await Promise.resolve();
    },
    methods: () => asked.map(({ method }) => method),
  };
}

test('counts the same again within ten minutes, and tells it anew after that', async () => {
  const { record, clock, asked, methods } = makeRecorder();
  await record('Timeout');
  await record('Timeout');
  clock.now += 9 * 60_000;
  await record('Timeout');
  await record('Timeout', 'another message');
  clock.now += 10 * 60_000;
  await record('Timeout');
  expect(methods()).toEqual(['POST', 'PATCH', 'PATCH', 'POST', 'POST']);
  expect(asked[2]?.body?.value).toEqual({
    series: { count: 3, lastObservedTime: '2026-05-01T10:09:00.000000Z' },
  });
});

test('tells anew what the cluster has forgotten', async () => {
  const { record, methods } = makeRecorder(({ method }) =>
    method === 'PATCH'
      ? { kind: 'refused', code: 404, message: '', retryAfterMs: null }
      : { kind: 'ok', body: {} },
  );
  await record('Timeout');
  await record('Timeout');
  expect(methods()).toEqual(['POST', 'PATCH', 'POST']);
});

test('sends 25 at once of an object and one every five minutes then', async () => {
  const { record, clock, asked } = makeRecorder();
  for (let i = 0; i < 40; i++) await record(`Reason${i}`);
  expect(asked).toHaveLength(25);
  clock.now += 10 * 60_000;
  for (let i = 0; i < 5; i++) await record(`Later${i}`);
  expect(asked).toHaveLength(27);
});

test('drops what cannot be written, and says it once, with the right that is missing', async () => {
  const { record, logs } = makeRecorder(() => ({
    kind: 'refused',
    code: 403,
    message: 'forbidden',
    retryAfterMs: null,
  }));
  await record('Timeout');
  await record('Unauthorized');
  expect(logs).toEqual([expect.stringContaining('create and patch on events.events.k8s.io')]);
});
