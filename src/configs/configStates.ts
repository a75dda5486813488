/**
 * What every source does with the states of configs: tells which have changed, says so in the log, and lists
 * what they ask of the delivery.
 */

import type { StreamRequest } from '../database/streams.ts';
import { type ExportConfig, type ExportSpec, nameDestination, type Remark } from '../model/exportConfig.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ConfigState } from './configSource.ts';

export type ConfigStates = ReadonlyMap<string, ConfigState>;

/** What runs: the config itself, else the last good one; null: nothing. */
export function lastGoodOf(state: ConfigState | null): ExportConfig | null {
  if (state === null) return null;
  return state.kind === 'valid' ? state.config : state.lastGood;
}

/** Whether both are the same objects: a source keeps the old object for a state that has not changed. */
export function isSameStates(a: ConfigStates, b: ConfigStates): boolean {
  return a.size === b.size && [...b].every(([key, state]) => a.get(key) === state);
}

/** Whether `b` says nothing new. Both are of one key. */
export function isSameState(a: ConfigState, b: ConfigState): boolean {
  if (a.kind === 'valid' || b.kind === 'valid') {
    return a.kind === 'valid' && b.kind === 'valid' && isSameConfig(a.config, b.config);
  }
  return (
    a.generation === b.generation &&
    a.reason === b.reason &&
    a.problems.join('\n') === b.problems.join('\n') &&
    isSameConfig(a.lastGood, b.lastGood)
  );
}

/** Says how a config stands that is new or has changed. */
export function logState(log: Logger, key: string, state: ConfigState): void {
  if (state.kind === 'valid') {
    const { generation } = state.config;
    log.info({ key, config: showName(state), generation }, 'export configuration read');
  } else {
    const { reason, problems, lastGood } = state;
    const fields = { key, config: showName(state), reason, problems, keepsRunning: lastGood !== null };
    log.warn(fields, 'export configuration is wrong');
  }
}

export function logDeletion(log: Logger, key: string, last: ConfigState): void {
  log.info({ key, config: showName(last) }, 'export configuration deleted');
}

function showName(state: ConfigState): string {
  const { namespace, name } = state.kind === 'valid' ? state.config : state;
  return `${namespace}/${name}`;
}

/** The generation stands for the spec, the fingerprint for what Secrets hold. */
function isSameConfig(a: ExportConfig | null, b: ExportConfig | null): boolean {
  return (
    a?.generation === b?.generation &&
    a?.destination.fingerprint === b?.destination.fingerprint &&
    a?.reconcileAt === b?.reconcileAt &&
    a?.takesOver === b?.takesOver &&
    a?.replay?.request === b?.replay?.request &&
    showRemarks(a) === showRemarks(b)
  );
}

function showRemarks(config: ExportConfig | null): string {
  return (config?.remarks ?? []).map(({ message }) => message).join('\n');
}

/** The configs to deliver by: of each manifest this version, else the last good one. */
export function listRunnable(states: ConfigStates): Map<string, ExportConfig> {
  const runnable = new Map<string, ExportConfig>();
  for (const [key, state] of states) {
    const config = lastGoodOf(state);
    if (config) runnable.set(key, config);
  }
  return runnable;
}

/** The streams of configs that wait for a Secret: they begin now, whenever it comes. */
export function listReserved(states: ConfigStates): StreamRequest[] {
  return [...states].flatMap(([key, state]) => {
    if (state.kind === 'valid' || state.lastGood !== null || state.spec === null) return [];
    const { organization, startFrom } = state.spec;
    return [{ configKey: key, organization, destination: nameDestination(state), startFrom }];
  });
}

/** The state with what is known of its config besides the manifest. */
export function withRemarks(state: ConfigState, more: readonly Remark[]): ConfigState {
  const config = lastGoodOf(state);
  if (config === null || more.length === 0) return state;
  const remarked = { ...config, remarks: [...(config.remarks ?? []), ...more] };
  return state.kind === 'valid' ? { kind: 'valid', config: remarked } : { ...state, lastGood: remarked };
}

/** The configs of which nothing is in force, and why. */
export function listStopped(states: ConfigStates) {
  return [...states.values()].flatMap((state) => {
    if (state.kind === 'valid' || state.lastGood !== null) return [];
    const { key, namespace, name, reason, problems, spec } = state;
    return [
      { key, namespace, name, reason, message: problems.join(' '), isSuspended: spec?.suspend === true },
    ];
  });
}

/** What a config asks for; `generation` null: only this process counts it. */
interface AskedConfig {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number | null;
  readonly spec: ExportSpec;
}

/** What each manifest asks for; null: it is wrong. `isNumbered`: its generation is the same to all replicas. */
export function listAsked(states: ConfigStates, isNumbered: boolean): Map<string, AskedConfig | null> {
  return new Map(
    [...states].map(([key, state]) => {
      const { namespace, name, generation, spec } = state.kind === 'valid' ? state.config : state;
      return [key, spec && { namespace, name, generation: isNumbered ? generation : null, spec }];
    }),
  );
}
