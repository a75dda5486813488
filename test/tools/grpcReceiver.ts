/** A real Collector at the usual ports: OTLP over gRPC at 4317, over HTTP at 4318, on a loopback address of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startService } from '../../tools/service.ts';
import { provideTool } from './build.ts';
import type { CertificateAuthority } from './certificates.ts';

let last = 0;

/** With an authority: both ports speak TLS. Returns the address; ends with the test. */
export async function startGrpcReceiver(authority?: CertificateAuthority): Promise<string> {
  const host = `127.88.${process.pid % 250}.${++last}`;
  const tls = authority && (await writeCertificate(authority, host));
  const listen = (port: number) => ({ endpoint: `${host}:${port}`, ...(tls && { tls }) });
  const config = {
    receivers: { otlp: { protocols: { grpc: listen(4317), http: listen(4318) } } },
    exporters: { nop: {} },
    service: {
      pipelines: { logs: { receivers: ['otlp'], exporters: ['nop'] } },
      telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
    },
  };
  const service = await startService({
    name: 'The OpenTelemetry Collector',
    command: await provideTool('otelcol'),
    args: [`--config=yaml:${JSON.stringify(config)}`],
    isReady: async () => (await isOpen(host, 4317)) && (await isOpen(host, 4318)),
  });
  onTestFinished(() => service.stop());
  return host;
}

async function writeCertificate(authority: CertificateAuthority, host: string) {
  const folder = await mkdtemp(join(tmpdir(), 'audit-export-grpc-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { cert, key } = authority.issue([host]);
  const files = { cert_file: join(folder, 'tls.crt'), key_file: join(folder, 'tls.key') };
  await writeFile(files.cert_file, cert);
  await writeFile(files.key_file, key);
  return files;
}

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
