import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { ApiAnswer, ApiFailure, WatchAnswer, WatchEvent } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { readObject } from './kubeObject.ts';
import { listPages } from './listPages.ts';
import { Reflector, type ReflectorTiming } from './reflector.ts';

const path = '/things';
const make = (name: string, resourceVersion: string, uid = name) => ({
  metadata: { name, uid, resourceVersion },
});
const event = (type: string, name: string, version: string): WatchEvent => ({
  type,
  object: make(name, version),
});
const bookmark = (resourceVersion: string, annotations = {}): WatchEvent => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion, annotations } },
});
const initialEnd = (version: string) => bookmark(version, { 'k8s.io/initial-events-end': 'true' });
const refused = (code: number, retryAfterMs: number | null = null): ApiFailure => ({
  kind: 'refused',
  code,
  message: 'no',
  retryAfterMs,
});
const list = (version: string, ...names: string[]): ApiAnswer => ({
  kind: 'ok',
  body: { metadata: { resourceVersion: version }, items: names.map((name) => make(name, version)) },
});

/** What a watch does once it is open: events, then an end, a break, or silence. */
type Script =
  | ApiFailure
  | { readonly events: readonly WatchEvent[]; readonly last: 'end' | 'break' | 'silence' };

/** Answers from scripts; the last of each repeats. */
function startReflector(
  answers: { readonly lists?: readonly ApiAnswer[]; readonly watches: readonly Script[] },
  options: { readonly streams?: boolean; readonly timing?: Partial<ReflectorTiming> } = {},
) {
  const asked: string[] = [];
  const told: string[] = [];
  const lists = [...(answers.lists ?? [])];
  const watches = [...answers.watches];
  const next = <T>(queue: T[]): T => {
    const first = queue.length > 1 ? queue.shift() : queue[0];
    if (first === undefined) throw new Error('not scripted');
    return first;
  };
  async function* play(script: Extract<Script, { events: unknown }>, signal: AbortSignal) {
    yield* script.events;
    await delay(1);
    if (script.last === 'break') throw new Error('reset');
    if (script.last === 'silence') await delay(3_600_000, undefined, { signal });
  }
  const api: ApiClient = {
    server: 'test',
    close: async () => {},
    async request({ query }) {
      asked.push(query?.['continue'] ? `list ${query['continue']}` : 'list');
      return next(lists);
    },
    async watch({ query, signal }): Promise<WatchAnswer> {
      asked.push(query?.['sendInitialEvents'] ? 'stream' : `watch ${query?.['resourceVersion'] ?? ''}`);
      const script = next(watches);
      return 'events' in script ? { kind: 'open', events: play(script, signal) } : script;
    },
  };
  const reflector = new Reflector({
    api,
    path,
    list: (signal) => listPages(api, path, signal),
    streamsInitialState: options.streams ?? false,
    retry: { initialMs: 1, maxMs: 4 },
    ...(options.timing && { timing: options.timing }),
    sink: {
      replace: (objects) => told.push(`all ${objects.map(({ metadata }) => metadata.name).join()}`),
      apply: (type, { metadata }) => told.push(`${type} ${metadata.name}`),
      onHealth: (failure) => told.push(failure === null ? 'healthy' : `${failure.kind}`),
    },
  });
  onTestFinished(() => reflector.stop());
  reflector.start();
  return { reflector, asked, told };
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition() && tries < 2_000; tries++) await delay(1);
  expect(condition()).toBe(true);
}

const silence: Script = { events: [], last: 'silence' };

test('reads all pages, then watches from where the list ended', async () => {
  const first: ApiAnswer = {
    kind: 'ok',
    body: { metadata: { resourceVersion: '5', continue: 'p2' }, items: [make('a', '1')] },
  };
  const watch: Script = { events: [event('ADDED', 'c', '6'), event('DELETED', 'a', '7')], last: 'silence' };
  const { asked, told } = startReflector({ lists: [first, list('5', 'b')], watches: [watch] });
  await until(() => told.length === 4);
  expect(asked).toEqual(['list', 'list p2', 'watch 5']);
  expect(told).toEqual(['all a,b', 'healthy', 'ADDED c', 'DELETED a']);
});

test('goes on from the last version, bookmarks included, after an end or a break', async () => {
  const { asked, told } = startReflector({
    lists: [list('5')],
    watches: [
      { events: [event('ADDED', 'a', '6'), bookmark('8')], last: 'end' },
      { events: [event('ADDED', 'b', '9')], last: 'break' },
      silence,
    ],
  });
  await until(() => asked.length === 4);
  expect(asked).toEqual(['list', 'watch 5', 'watch 8', 'watch 9']);
  await until(() => told.at(-1) === 'healthy');
  expect(told).toEqual(['all ', 'healthy', 'ADDED a', 'healthy', 'ADDED b', 'unreachable', 'healthy']);
});

test.each<[string, Script]>([
  ['an event', { events: [{ type: 'ERROR', object: { code: 410 } }], last: 'end' }],
  ['an answer', refused(410)],
])(
  'reads everything again when its version has expired, told by %s, and calls it no failure',
  async (_, expired) => {
    const { asked, told } = startReflector({
      lists: [list('5', 'a'), list('50', 'b')],
      watches: [expired, silence],
    });
    await until(() => asked.length === 4);
    expect(asked).toEqual(['list', 'watch 5', 'list', 'watch 50']);
    expect(told).not.toContain('refused');
    expect(told).toContain('all b');
  },
);

test.each([400, 401, 403, 404])('reads everything again after a %i, and never gives up', async (code) => {
  const { asked, told } = startReflector({
    lists: [list('5'), refused(code), refused(code), refused(code), list('6')],
    watches: [refused(code), silence],
  });
  await until(() => told.filter((each) => each === 'healthy').length === 1);
  expect(asked).toEqual(['list', 'watch 5', 'list', 'list', 'list', 'list', 'watch 6']);
});

test.each([429, 500, 503])('watches on from its version after a %i', async (code) => {
  const { asked } = startReflector({ lists: [list('5')], watches: [refused(code), refused(code), silence] });
  await until(() => asked.length === 4);
  expect(asked).toEqual(['list', 'watch 5', 'watch 5', 'watch 5']);
});

test('waits as long as the server asks for', async () => {
  const { asked } = startReflector({ lists: [list('5')], watches: [refused(429, 3_600_000)] });
  await until(() => asked.length === 2);
  await delay(20);
  expect(asked).toEqual(['list', 'watch 5']);
});

test('does not loop on a watch that ends as soon as it has begun', async () => {
  const { asked, told } = startReflector({ lists: [list('5')], watches: [{ events: [], last: 'end' }] });
  await until(() => asked.length > 5);
  expect(told.slice(0, 4)).toEqual(['all ', 'healthy', 'unreachable', 'healthy']);
});

test('takes the initial state from the watch where the server streams it', async () => {
  const watch: Script = {
    events: [
      event('ADDED', 'a', '1'),
      event('ADDED', 'b', '2'),
      initialEnd('9'),
      event('DELETED', 'a', '10'),
    ],
    last: 'end',
  };
  const { asked, told } = startReflector({ watches: [watch, silence] }, { streams: true });
  await until(() => asked.length === 2);
  expect(asked).toEqual(['stream', 'watch 10']);
  expect(told.slice(0, 3)).toEqual(['all a,b', 'healthy', 'DELETED a']);
});

test.each<[string, Script]>([
  ['refuses to', refused(422)],
  ['refuses to as it did once', refused(400)],
  ['takes no notice', { events: [event('ADDED', 'a', '1')], last: 'end' }],
])('lists instead where the server %s', async (_, first) => {
  const { asked, told } = startReflector(
    { lists: [list('5', 'a')], watches: [first, silence] },
    { streams: true },
  );
  await until(() => asked.length === 3);
  expect(asked).toEqual(['stream', 'list', 'watch 5']);
  expect(told).toEqual(['all a', 'healthy']);
});

test('says nothing of a state that broke off half way', async () => {
  const half: Script = { events: [event('ADDED', 'a', '1')], last: 'break' };
  const whole: Script = {
    events: [event('ADDED', 'a', '1'), event('ADDED', 'b', '2'), initialEnd('9')],
    last: 'silence',
  };
  const { told } = startReflector({ watches: [half, whole] }, { streams: true });
  await until(() => told.includes('healthy'));
  expect(told).toEqual(['unreachable', 'all a,b', 'healthy']);
});

test('reopens a quiet watch, and does not call it a failure', async () => {
  const { asked, told } = startReflector(
    { lists: [list('5')], watches: [silence] },
    { timing: { quietMs: 5 } },
  );
  await until(() => asked.length > 3);
  expect(asked.slice(0, 4)).toEqual(['list', 'watch 5', 'watch 5', 'watch 5']);
  expect(told).not.toContain('unreachable');
});

test('reads everything again from time to time', async () => {
  const { asked } = startReflector({ lists: [list('5')], watches: [silence] }, { timing: { rereadMs: 20 } });
  await until(() => asked.filter((each) => each === 'list').length > 2);
});

test('tells nothing after a stop, whatever it was doing', async () => {
  const { reflector, told, asked } = startReflector({ lists: [list('5')], watches: [silence] });
  await until(() => told.length === 2);
  await reflector.stop();
  await delay(10);
  expect([asked.length, told.length]).toEqual([2, 2]);
  const failing = startReflector({ lists: [refused(503, 3_600_000)], watches: [silence] });
  await until(() => failing.told.length === 1);
  await failing.reflector.stop();
});

test('knows an object from what is none', () => {
  expect(readObject({ metadata: { name: 'a' } })).toBeNull();
  expect(readObject(make('a', '1'))?.metadata).toMatchObject({ name: 'a', namespace: '', generation: 0 });
});
