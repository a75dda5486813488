/** What the manifests, as they stand, ask of the delivery. */
import type { StreamRequest } from '../database/streams.ts';
import type { ExportConfig, ExportSpec } from '../model/exportConfig.ts';
import { type ConfigStates, lastGoodOf } from './configStates.ts';

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
    return [{ configKey: key, organization, startFrom }];
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
