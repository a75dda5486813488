/** Whether an expression asks for metrics, labels and states that the program has. */

import { streamStates } from '../../src/model/states.ts';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
import { metricTable } from '../../src/telemetry/metricTable.ts';

/** What a scrape adds. */
const targetLabels = ['job', 'instance', 'pod', 'namespace', 'service', 'container'];

interface Known {
  readonly labels: ReadonlyMap<string, readonly string[]>;
  readonly states: ReadonlySet<string>;
}

/** From the table of metrics, and for what Node adds and the values of `state` from a scrape. */
export async function readKnownMetrics(): Promise<Known> {
  const labels = new Map<string, readonly string[]>();
  for (const { name, type, labels: own } of Object.values(metricTable)) {
    if (type !== 'histogram') labels.set(name, own);
    else {
      labels.set(`${name}_bucket`, [...own, 'le']);
      labels.set(`${name}_count`, own);
      labels.set(`${name}_sum`, own);
    }
  }
  const metrics = makeMetrics({ version: 'test' });
  const stream = metrics.forStream({ namespace: 'n', name: 'n', organization: 'o' });
  for (const state of streamStates) stream.setState(state);
  const scrape = await metrics.render();
  for (const [, name = ''] of scrape.matchAll(/^# TYPE ((?:process|nodejs)_\w+)/gm)) labels.set(name, []);
  const states = new Set([...scrape.matchAll(/state="([\w-]+)"/g)].map(([, state = '']) => state));
  return { labels, states };
}

/** One sentence each; empty when everything is there. */
export function findUnknown(expression: string, known: Known): string[] {
  const problems: string[] = [];
  const text = expression.replaceAll('\\"', '"');
  const names = new Set([...text.matchAll(/\b(?:audit_export|process|nodejs)_\w+/g)].map(([name]) => name));
  const allowed = new Set(targetLabels);
  for (const name of names) {
    const labels = known.labels.get(name);
    if (labels === undefined) problems.push(`There is no metric ${name}.`);
    for (const label of labels ?? []) allowed.add(label);
  }
  for (const [, name = '', matchers = ''] of text.matchAll(/\b(\w+)\{([^}]*)\}/g)) {
    for (const [, label = ''] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
      if (![...targetLabels, ...(known.labels.get(name) ?? [])].includes(label)) {
        problems.push(`${name} has no label ${label}.`);
      }
    }
    for (const [, state = ''] of matchers.matchAll(/\bstate="([^"]*)"/g)) {
      if (!known.states.has(state)) problems.push(`There is no state ${state}.`);
    }
  }
  for (const [, list = ''] of text.matchAll(/\b(?:by|on|without|ignoring) \(([^)]*)\)/g)) {
    for (const label of list.split(',').map((each) => each.trim())) {
      if (!allowed.has(label)) problems.push(`Nothing in ${text} has the label ${label}.`);
    }
  }
  return problems;
}
