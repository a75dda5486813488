/** A receiver that hangs is a failed test like any other. */
import { expect, it, onTestFinished } from 'vitest';
import { migrateDatabase } from '../tools/database.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

it.each(['/new/test', '/new'])(
  'says in words that it does not answer: %s',
  { timeout: 40_000 },
  async (path) => {
    const { origin } = await startPageUnderTest(postgres);
    const receiver = await startReceiver();
    onTestFinished(() => receiver.stop());
    receiver.answerWith({ hang: true });
    const response = await fetch(`${origin}/organizations/acme/audit-logs/export${path}`, {
      method: 'POST',
      headers: { Origin: origin },
      body: new URLSearchParams({
        endpoint: receiver.endpoint,
        maxBatchSize: '1000',
        timeoutSeconds: '10',
        compression: 'gzip',
        startFrom: 'Now',
      }),
    });
    const text = await response.text();
    expect(text).not.toContain('Something went wrong');
    expect(text).toContain('No answer in time');
  },
);
