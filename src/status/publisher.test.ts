import { expect, onTestFinished, test, vi } from 'vitest';
import type { ExportStatus } from '../model/streamStatus.ts';
import { StatusPublisher } from './publisher.ts';

const base: ExportStatus = {
  observedGeneration: 1,
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'Delivering',
      message: 'm',
      lastTransitionTime: 't',
      observedGeneration: 1,
    },
  ],
  deliveredEntries: 0,
};

function makePublisher() {
  let current: ExportStatus | null = base;
  const written: ExportStatus[] = [];
  const publisher = new StatusPublisher(3_600_000);
  publisher.start({
    keys: () => ['k'],
    decide: () => (current ? { kind: 'write', status: current } : { kind: 'not-ours' }),
    write: async (_, status) => void written.push(status),
  });
  onTestFinished(() => publisher.stop());
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  return {
    publisher,
    written,
    async show(status: ExportStatus | null) {
      current = status;
      publisher.notify('k');
      await settle();
    },
  };
}

test('writes the first status and every changed condition at once', async () => {
  const { written, show } = makePublisher();
  await show(base);
  const ready = {
    ...(base.conditions[0] as (typeof base.conditions)[0]),
    status: 'False',
    reason: 'Timeout',
  } as const;
  await show({ ...base, conditions: [ready] });
  expect(written).toHaveLength(2);
});

test('does not write the same again, nor counters before their time, but does so at the stop', async () => {
  const { publisher, written, show } = makePublisher();
  await show(base);
  await show(base);
  await show({ ...base, deliveredEntries: 10 });
  expect(written).toHaveLength(1);
  await publisher.stop();
  expect(written.map((status) => status.deliveredEntries)).toEqual([0, 10]);
});

test('writes nothing that is not its own, and forgets what it wrote of a manifest that is gone', async () => {
  const { publisher, written, show } = makePublisher();
  await show(null);
  expect(written).toEqual([]);
  await show(base);
  publisher.forget('k');
  await show(base);
  expect(written).toHaveLength(2);
});

test('forgets what it wrote once another replica writes', async () => {
  const { written, show } = makePublisher();
  await show(base);
  await show(null);
  await show(base);
  expect(written).toHaveLength(2);
});

test('says it again after a while: somebody else may have written over it', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const { written, show } = makePublisher();
  await show(base);
  vi.setSystemTime(Date.now() + 59_000);
  await show(base);
  expect(written).toHaveLength(1);
  vi.setSystemTime(Date.now() + 2_000);
  await show(base);
  expect(written).toHaveLength(2);
});
