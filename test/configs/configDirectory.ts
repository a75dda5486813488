/** A real directory of manifests, and a source that follows it, for one test. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ConfigSource, ConfigState } from '../../src/configs/configSource.ts';
import { DirectorySource, type DirectorySourceOptions } from '../../src/configs/directory/directorySource.ts';
import type { ExportConfig } from '../../src/model/exportConfig.ts';
import type { ExportStatus } from '../../src/model/streamStatus.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';

export interface ConfigDirectory {
  readonly path: string;
  /** Writes in place, parents included. */
  write(file: string, text: string): void;
  read(file: string): string | null;
  remove(file: string): void;
}

/** Removed with the test. */
export function makeConfigDirectory(files: Record<string, string> = {}): ConfigDirectory {
  const path = mkdtempSync(join(tmpdir(), 'audit-export-configs-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const directory: ConfigDirectory = {
    path,
    write(file, text) {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      writeFileSync(join(path, file), text);
    },
    read(file) {
      try {
        return readFileSync(join(path, file), 'utf8');
      } catch {
        return null;
      }
    },
    remove: (file) => rmSync(join(path, file), { recursive: true }),
  };
  for (const [file, text] of Object.entries(files)) directory.write(file, text);
  return directory;
}

export interface Following {
  readonly source: ConfigSource;
  /** All states as reported last. */
  states(): ReadonlyMap<string, ConfigState>;
  /** How often onChange was called. */
  changes(): number;
  /** Messages of a level, `warn` say, so far. */
  logged(level: string): Array<Record<string, unknown>>;
}

/** Started; stopped with the test. */
export async function follow(
  path: string,
  options: Partial<DirectorySourceOptions> & { readonly onChange?: () => void } = {},
): Promise<Following> {
  const { onChange, ...rest } = options;
  const lines: Array<Record<string, unknown>> = [];
  const log = makeLogger({ level: 'debug', destination: { write: (line) => lines.push(JSON.parse(line)) } });
  const source = new DirectorySource({ directory: path, log, ...rest });
  let states: ReadonlyMap<string, ConfigState> = new Map();
  let changes = 0;
  onTestFinished(() => source.stop());
  await source.start((configs) => {
    states = configs;
    changes++;
    onChange?.();
  });
  return {
    source,
    states: () => states,
    changes: () => changes,
    logged: (level) => lines.filter((line) => line['level'] === level),
  };
}

export function manifest(name: string, spec: Record<string, unknown> = {}, metadata: object = {}): string {
  return JSON.stringify({
    apiVersion: 'auditexport.dev/v1',
    kind: 'AuditExportConfig',
    metadata: { name, ...metadata },
    spec: { organization: 'acme', endpoint: 'https://otel.example.com', ...spec },
  });
}

/** @throws when the state is missing or not valid. */
export function validConfig(states: ReadonlyMap<string, ConfigState>, key: string): ExportConfig {
  const state = states.get(key);
  if (state?.kind !== 'valid') throw new Error(`${key} is not valid: ${JSON.stringify(state)}`);
  return state.config;
}

export function makeStatus(changes: Partial<ExportStatus> = {}): ExportStatus {
  return {
    observedGeneration: 1,
    resolvedEndpoint: 'https://otel.example.com/v1/logs',
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Delivering',
        message: 'Entries are delivered: yes.',
        lastTransitionTime: '2026-01-01T00:00:00Z',
        observedGeneration: 1,
      },
    ],
    ...changes,
  };
}
