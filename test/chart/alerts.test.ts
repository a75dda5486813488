/** The alerts as the chart renders them: what they ask for exists, they fire when they should, and each is explained. */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { isToolMissing, provideTool, toolTimeoutMs } from '../tools/build.ts';
import { chartFolder, renderChart } from './helm.ts';
import { findObject } from './manifest.ts';
import { findUnknown, readKnownMetrics } from './promql.ts';

const testsPath = join(import.meta.dirname, 'alerts.yaml');
const runbookPath = join(import.meta.dirname, '../../docs/runbook.md');
const values = { database: { existingSecret: { name: 'x' } }, prometheusRule: { enabled: true } };

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

interface Rules {
  readonly groups: ReadonlyArray<{ readonly name: string; readonly rules: readonly Rule[] }>;
}

describe.skipIf(isToolMissing('helm'))('the alerts', () => {
  let rules: Rules;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'audit-export-alerts-'));
    rules = findObject(await renderChart([], values), 'PrometheusRule')['spec'] as Rules;
    await writeFile(join(folder, 'rules.yaml'), stringify(rules));
  }, toolTimeoutMs);
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const alerts = () => rules.groups.flatMap((group) => group.rules);

  test('ask for metrics, labels and states that exist, in their texts too', async () => {
    const known = await readKnownMetrics();
    const problems = alerts().flatMap(({ alert, expr, annotations }) => {
      const queries = Object.values(annotations).flatMap((text) =>
        [...text.matchAll(/(?:printf|query) "((?:[^"\\]|\\.)*)"/g)].map(([, query = '']) =>
          query.replaceAll('%q', '"x"'),
        ),
      );
      return [expr, ...queries].flatMap((each) =>
        findUnknown(each, known).map((problem) => `${alert}: ${problem}`),
      );
    });
    expect(problems).toEqual([]);
    expect(findUnknown('sum by (reasn) (audit_export_request{state="x"})', known)).toHaveLength(4);
  });

  test.skipIf(isToolMissing('promtool'))(
    'fire when they should, say who and why, and are quiet when not',
    {
      timeout: toolTimeoutMs,
    },
    async () => {
      await copyFile(testsPath, join(folder, 'alerts.yaml'));
      const promtool = await provideTool('promtool');
      const run = promisify(execFile);
      await run(promtool, ['check', 'rules', '--lint=all', '--lint-fatal', 'rules.yaml'], { cwd: folder });
      await run(promtool, ['test', 'rules', 'alerts.yaml'], { cwd: folder });
    },
  );

  test('are each shown to fire, and to be quiet', async () => {
    const { tests } = parse(await readFile(testsPath, 'utf8')) as {
      readonly tests: ReadonlyArray<{
        readonly alert_rule_test: ReadonlyArray<{
          readonly alertname: string;
          readonly exp_alerts?: unknown;
        }>;
      }>;
    };
    const cases = tests.flatMap((each) => each.alert_rule_test);
    for (const { alert } of alerts()) {
      const own = cases.filter(({ alertname }) => alertname === alert);
      expect(
        own.some((each) => each.exp_alerts !== undefined),
        alert,
      ).toBe(true);
      expect(
        own.some((each) => each.exp_alerts === undefined),
        alert,
      ).toBe(true);
    }
  });

  test('have each a section of the runbook, and the runbook no other', async () => {
    const sections = [...(await readFile(runbookPath, 'utf8')).matchAll(/^## (Audit\w+)$/gm)].map(
      ([, name]) => name,
    );
    expect(sections.sort()).toEqual(
      alerts()
        .map(({ alert }) => alert)
        .sort(),
    );
    for (const { alert, annotations } of alerts()) {
      expect(annotations['runbook_url']).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
    }
  });

  test('can be left out by name, and led to another runbook', async () => {
    const objects = await renderChart(['--values', join(chartFolder, 'ci/monitoring.yaml')]);
    const [group] = (findObject(objects, 'PrometheusRule')['spec'] as Rules).groups;
    const names = group?.rules.map(({ alert }) => alert);
    expect(names).not.toContain('AuditExportSuspended');
    expect(names).toHaveLength(alerts().length - 1);
    expect(group?.rules[0]?.annotations['runbook_url']).toBe(
      'https://wiki.example.com/audit-export/runbook#auditexportbehind',
    );
    expect(group?.rules[0]?.expr).toContain('> 1800');
    expect(JSON.stringify(group)).not.toContain('${');
  });

  test('keep apart the namespace of a config and that of the pod, as the scrape must', async () => {
    const objects = await renderChart([], { ...values, serviceMonitor: { enabled: true } });
    const monitor = findObject(objects, 'ServiceMonitor');
    expect(monitor['spec']).toMatchObject({ endpoints: [{ honorLabels: true, port: 'operations' }] });
    // The job of a scrape is the name of the Service.
    expect(alerts().at(-1)?.expr).toContain(
      `job="${findObject(objects, 'Service', 'demo-audit-export-operations').metadata.name}"`,
    );
  });
});
