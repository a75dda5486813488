/** What a delivery test starts from: a fresh database, a receiver; ended with the test. */
import { onTestFinished } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { openDatabase } from './database.ts';
import type { TestPostgres } from './postgres.ts';
import { type Receiver, type ReceiverOptions, startReceiver } from './receiver.ts';

export async function setUp(
  postgres: TestPostgres,
  options?: ReceiverOptions,
): Promise<{ url: string; db: Database; receiver: Receiver }> {
  const url = await postgres.createDatabase();
  const db = openDatabase(url);
  onTestFinished(() => db.end());
  const receiver = await startReceiver(options);
  onTestFinished(() => receiver.stop());
  return { url, db, receiver };
}
