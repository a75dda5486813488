/** Many tenants of one gateway: those that hang do not keep the others waiting. */
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../src/model/answer.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { makeDestination } from '../tools/destination.ts';
import { openTransport, serveHttp, until } from './loopback.ts';

/** Answers those that are called good, and leaves the others without an answer. */
function serveGateway() {
  return serveHttp((request, response) => {
    if (String(request.headers['x-tenant']).startsWith('good')) response.end();
  });
}

function sendAs(transport: Transport, url: string, tenant: string, timeoutMs: number): Promise<Answer> {
  return transport.send({
    destination: makeDestination(url, { timeoutMs, headers: { 'X-Tenant': tenant } }),
    body: new Uint8Array([1]),
    signal: new AbortController().signal,
    stream: tenant,
  });
}

describe('tenants of one gateway', () => {
  it.each([8, 40])('%i of which hang do not delay the good one, from the beginning on', async (hanging) => {
    const gateway = await serveGateway();
    const transport = openTransport();
    const timeoutMs = 3_000;
    // Known to work, as nearly all are.
    await sendAs(transport, gateway.url, 'good', timeoutMs);
    const ends: Array<Promise<void>> = [];
    let isOver = false;
    const hang = async (tenant: string) => {
      while (!isOver) await sendAs(transport, gateway.url, tenant, timeoutMs);
    };
    for (let at = 0; at < hanging; at += 1) {
      for (let flight = 0; flight < 4; flight += 1) ends.push(hang(`hanging ${at}`));
    }
    await until(() => gateway.open() > 7);
    let longestMs = 0;
    for (const startedAt = performance.now(); performance.now() - startedAt < 4_000; ) {
      const sentAt = performance.now();
      const answers = await Promise.all(
        [1, 2, 3, 4].map(() => sendAs(transport, gateway.url, 'good', timeoutMs)),
      );
      for (const answer of answers) expect(answer).toMatchObject({ status: 200 });
      longestMs = Math.max(longestMs, performance.now() - sentAt);
    }
    isOver = true;
    await transport.close();
    await Promise.all(ends);
    // An attempt that had to wait for others to end would take three seconds.
    expect(longestMs).toBeLessThan(2_500);
  });

  it('that work again get their turn, however many others are busy', async () => {
    let isSick = true;
    const gateway = await serveHttp((request, response) => {
      if (request.headers['x-tenant'] === 'sick' && isSick) response.writeHead(503).end();
      else setTimeout(() => response.end(), 20);
    });
    const transport = openTransport();
    expect(await sendAs(transport, gateway.url, 'sick', 5_000)).toMatchObject({ status: 503 });
    isSick = false;
    let isOver = false;
    const work = async (tenant: string) => {
      while (!isOver) await sendAs(transport, gateway.url, tenant, 5_000);
    };
    const busy = Array.from({ length: 120 }, (_, at) => work(`busy ${at % 40}`));
    await until(() => gateway.open() > 20);
    const startedAt = performance.now();
    expect(await sendAs(transport, gateway.url, 'sick', 5_000)).toMatchObject({ status: 200 });
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    isOver = true;
    await Promise.all(busy);
  });

  it('one alone has nearly all of the connections', async () => {
    let running = 0;
    let most = 0;
    const gateway = await serveHttp((_request, response) => {
      running += 1;
      most = Math.max(most, running);
      setTimeout(() => {
        running -= 1;
        response.end();
      }, 30);
    });
    const transport = openTransport();
    await sendAs(transport, gateway.url, 'good', 5_000);
    await Promise.all(Array.from({ length: 200 }, () => sendAs(transport, gateway.url, 'good', 5_000)));
    expect(most).toBeGreaterThan(20);
    expect(most).toBeLessThanOrEqual(32);
  });
});
