/**
 * Writes an entry for each line typed into the demo's terminal: the quickest way to see one arrive, and the only one
 * without psql.
 */
import { createInterface } from 'node:readline';
import pg from 'pg';

export interface Notes {
  stop(): Promise<void>;
}

/** @param onProblem called with one sentence if an entry could not be written. */
export function takeNotes(
  input: NodeJS.ReadableStream,
  databaseUrl: string,
  onProblem: (sentence: string) => void,
): Notes {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1, connectionTimeoutMillis: 5_000 });
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const lines = createInterface({ input });
  lines.on('line', (text) => {
    pool
      .query(
        `insert into audit.entries (organization, event_type, actor_name, metadata)
         values ('acme', 'note.written', 'You', jsonb_build_object('text', $1::text))`,
        [text],
      )
      .catch((error: Error) => onProblem(`The note was not written: ${error.message}`));
  });
  return {
    async stop() {
      lines.close();
      await pool.end();
    },
  };
}
