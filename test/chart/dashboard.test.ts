/** The Grafana dashboard asks for what exists, in expressions that Prometheus can read. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { isToolMissing, provideTool, toolTimeoutMs } from '../tools/build.ts';
import { chartFolder } from './helm.ts';
import { findUnknown, readKnownMetrics } from './promql.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: ReadonlyArray<{ readonly expr: string; readonly legendFormat: string }>;
}

const text = await readFile(join(chartFolder, 'dashboards/audit-export.json'), 'utf8');
const dashboard: {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: ReadonlyArray<{ readonly name: string; readonly query: string }> };
} = JSON.parse(text);
const expressions = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
);

test('asks for metrics, labels and states that exist', async () => {
  const known = await readKnownMetrics();
  const problems = expressions.flatMap(({ title, expr }) =>
    findUnknown(expr, known).map((problem) => `${title}: ${problem}`),
  );
  expect(problems).toEqual([]);
  for (const { query } of dashboard.templating.list.slice(1)) expect(findUnknown(query, known)).toEqual([]);
});

test('shows in legends only labels that the expression keeps', () => {
  for (const { title, expr, legendFormat } of expressions) {
    const kept = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */));
    for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(kept, title).toContain(label);
  }
});

test.skipIf(isToolMissing('promtool'))(
  'has expressions that Prometheus can read',
  { timeout: toolTimeoutMs },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'audit-export-dashboard-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const rules = expressions.map(({ expr }, index) => ({
      record: `panel:${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m'),
    }));
    await writeFile(join(folder, 'rules.yaml'), stringify({ groups: [{ name: 'panels', rules }] }));
    await promisify(execFile)(await provideTool('promtool'), ['check', 'rules', 'rules.yaml'], {
      cwd: folder,
    });
  },
);

test('lays its panels beside each other, none over another', () => {
  const cells = new Set<string>();
  const ids = new Set<number>();
  for (const { id, title, gridPos } of dashboard.panels) {
    ids.add(id);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(cells.has(`${x} ${y}`), title).toBe(false);
        expect(x, title).toBeLessThan(24);
        cells.add(`${x} ${y}`);
      }
    }
  }
  expect(ids.size).toBe(dashboard.panels.length);
});

test('takes its data source and what it filters by from variables', () => {
  expect(text).not.toMatch(/"uid": "(?!\$\{datasource\}|audit-export")/);
  for (const name of ['$namespace', '$organization']) expect(text).toContain(name);
});
