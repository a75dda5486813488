import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ReadPlaces } from './readPlaces.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const never = new AbortController().signal;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Reads that go on until they are ended by hand. */
function setUp(connections: number) {
  const places = new ReadPlaces(connections);
  const running: Array<{ organization: string; end: () => void }> = [];
  const read = (organization: string, signal = never) =>
    places.run(organization, signal, async () => {
      await new Promise<void>((resolve) => {
        running.push({ organization, end: resolve });
      });
      return 'read';
    });
  const underWay = () => running.map(({ organization }) => organization);
  const endFirst = async (organization: string) => {
    const at = running.findIndex((each) => each.organization === organization);
    running.splice(at, 1)[0]?.end();
    await turn();
  };
  return { read, underWay, endFirst };
}

test('one organization has half of the places, and the others the rest', async () => {
  const { read, underWay, endFirst } = setUp(5);
  for (let n = 0; n < 6; n++) void read('greedy');
  for (let n = 0; n < 2; n++) void read('other');
  await turn();
  expect(underWay()).toEqual(['greedy', 'greedy', 'other', 'other']);
  void read('third');
  await endFirst('greedy');
  expect(underWay().at(-1)).toBe('third');
});

test('an organization whose reads are slow has one place, and never the last', async () => {
  const { read, underWay, endFirst } = setUp(4);
  for (const organization of ['slow-1', 'slow-2', 'slow-3']) {
    void read(organization);
    await turn();
    vi.advanceTimersByTime(2_000);
    await endFirst(organization);
  }
  for (const organization of ['slow-1', 'slow-1', 'slow-2', 'slow-3']) void read(organization);
  await turn();
  expect(underWay()).toEqual(['slow-1', 'slow-2']);
  void read('good');
  await turn();
  expect(underWay()).toEqual(['slow-1', 'slow-2', 'good']);
});

test('an organization counts as slow while its first slow read goes on', async () => {
  const places = new ReadPlaces(4);
  const read = Promise.withResolvers<void>();
  const reading = places.run('acme', never, () => read.promise);
  await turn();
  vi.advanceTimersByTime(900);
  expect(places.isSlow('acme')).toBe(false);
  vi.advanceTimersByTime(200);
  expect(places.isSlow('acme')).toBe(true);
  read.resolve();
  await reading;
});

test('slowness is forgotten after a minute', async () => {
  const { read, underWay, endFirst } = setUp(5);
  void read('acme');
  await turn();
  vi.advanceTimersByTime(2_000);
  await endFirst('acme');
  vi.advanceTimersByTime(60_001);
  for (let n = 0; n < 3; n++) void read('acme');
  await turn();
  expect(underWay()).toEqual(['acme', 'acme']);
});

test('who stops waiting takes no place, and a failure gives its own back', async () => {
  const { read, endFirst } = setUp(2);
  const held = read('acme');
  const gone = new AbortController();
  const waiting = read('acme', gone.signal);
  gone.abort();
  expect(await waiting).toBe('aborted');
  await endFirst('acme');
  expect(await held).toBe('read');
  const places = new ReadPlaces(2);
  const broken = () => places.run('acme', never, () => Promise.reject(new Error('broken')));
  await expect(broken()).rejects.toThrow('broken');
  await expect(broken()).rejects.toThrow('broken');
});
