/** A download that is broken off never looks complete, to HTTP/1.0 either: nginx speaks that to servers unless it is told otherwise. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { findFreePort } from '../../tools/freePort.ts';
import { migrateDatabase } from '../tools/database.ts';
import { arePackagesMissing } from '../tools/debianPackages.ts';
import { nginxPackages, startNginx } from '../tools/nginx.ts';
import { type PageUnderTest, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const address = '/organizations/acme/audit-logs/entries';

/** 115 MB as text: more than buffers on the way can hold. */
async function start(): Promise<PageUnderTest & { readonly port: number }> {
  const page = await startPageUnderTest(postgres);
  await page.db.query(
    `insert into audit.entries (organization, event_type, metadata)
     select 'acme', 'big.one', jsonb_build_object('n', n, 'text', repeat(md5(n::text), 3000)) from generate_series(1, 1200) n`,
  );
  return { ...page, port: Number(new URL(page.origin).port) };
}

/** Resolves with how the answer ended; `begun` is called at its first byte, and the rest is read after it. */
async function readAnswer(port: number, path: string, begun: () => Promise<unknown>): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.0\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  const ended = new Promise<string>((resolve) => {
    socket.once('end', () => resolve('complete'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'failed'));
  });
  const [first] = await once(socket, 'data');
  socket.pause();
  expect(String(first)).toMatch(/^HTTP\/1\.1 200 /);
  await begun();
  socket.resume();
  return await ended;
}

describe('to HTTP/1.0, a download', () => {
  it.each(['csv', 'ndjson'])('ends in a reset when the database fails half-way: %s', async (format) => {
    const { port, db } = await start();
    const end = await readAnswer(port, `${address}.${format}`, () =>
      db.query('drop table audit.entries cascade'),
    );
    expect(end).toBe('ECONNRESET');
  });

  it('ends in a reset when the page stops', async () => {
    const { port, stop } = await start();
    expect(await readAnswer(port, `${address}.csv`, stop)).toBe('ECONNRESET');
  });

  it('ends without one when it is complete', async () => {
    const { port } = await start();
    expect(await readAnswer(port, `${address}.csv?q=no-such-thing`, async () => {})).toBe('complete');
  });
});

describe.skipIf(arePackagesMissing('broken downloads through nginx', nginxPackages))('through nginx', () => {
  it('a download fails when the database does half-way', async () => {
    const { port, db } = await start();
    const listen = await findFreePort();
    await startNginx({ listen, upstream: port });
    const response = await fetch(`http://127.0.0.1:${listen}${address}.ndjson`);
    const reader = response.body?.getReader();
    await reader?.read();
    await db.query('drop table audit.entries cascade');
    await expect(
      (async () => {
        for (;;) if ((await reader?.read())?.done) return;
      })(),
    ).rejects.toThrow();
  });
});
