import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../tools/freePort.ts';
import { startService } from '../../tools/service.ts';
import { provideTool } from './build.ts';

export interface VictoriaLogs {
  /** Full URL of its OTLP logs receiver. */
  readonly endpoint: string;
  /** Rows of a LogsQL query over all that was taken so far; every value is a string. */
  query(logsql: string): Promise<Array<Readonly<Record<string, string>>>>;
  stop(): Promise<void>;
}

/** A real VictoriaLogs on storage of its own, deleted at the stop. */
export async function startVictoriaLogs(): Promise<VictoriaLogs> {
  const command = await provideTool('victoria-logs');
  const [port, folder] = await Promise.all([
    findFreePort(),
    mkdtemp(join(tmpdir(), 'audit-export-victoria-logs-')),
  ]);
  const base = `http://127.0.0.1:${port}`;
  const service = await startService({
    name: 'VictoriaLogs',
    command,
    args: [
      `-httpListenAddr=127.0.0.1:${port}`,
      `-storageDataPath=${folder}`,
      // The default of 7 days would drop older entries in silence.
      '-retentionPeriod=100y',
      '-loggerLevel=WARN',
    ],
    isReady: async () => (await fetch(`${base}/health`)).ok,
  });
  return {
    endpoint: `${base}/insert/opentelemetry/v1/logs`,
    async query(logsql) {
      // Rows are searchable a moment after they were taken, or at once after a flush.
      await fetch(`${base}/internal/force_flush`);
      const response = await fetch(`${base}/select/logsql/query`, {
        method: 'POST',
        body: new URLSearchParams({ query: logsql }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`VictoriaLogs answered ${response.status}: ${text.trim()}`);
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    },
    async stop() {
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
