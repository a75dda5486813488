import { expect, test } from 'vitest';
import { Teardown } from './teardown.ts';

test('stops the last part first, and the others when one cannot be stopped', async () => {
  const stopped: string[] = [];
  const teardown = new Teardown();
  const add = (name: string | null, error?: Error): void =>
    teardown.add({
      name,
      async stop() {
        if (error) throw error;
        stopped.push(String(name));
      },
    });
  add('the pool');
  add(null);
  add('the page', new Error('the port is stuck'));
  add('the notes');
  expect(teardown.names).toEqual(['the notes', 'the page', 'the pool']);
  expect(await teardown.run()).toEqual(['The page did not stop as it should: the port is stuck']);
  expect(stopped).toEqual(['the notes', 'null', 'the pool']);
});

test('kills every part that can be killed, also the one that is just stopping', async () => {
  const teardown = new Teardown();
  const killed = Promise.withResolvers<void>();
  teardown.add({ name: 'the collector', stop: async () => {} });
  teardown.add({ name: 'Postgres', stop: () => killed.promise, kill: () => killed.resolve() });
  const run = teardown.run();
  teardown.kill();
  expect(await run).toEqual([]);
});
