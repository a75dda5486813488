/** The chart agrees with itself, with the program and with crds/. Needs no Helm. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { makeChartFiles } from '../../charts/generator/files.ts';
import type { JsonSchema } from '../../charts/generator/jsonSchema.ts';
import { decided, listSettings, settingSchemas } from '../../charts/generator/settingValues.ts';
import { readValues } from '../../charts/generator/values.ts';
import { parseManifest } from '../../src/configs/parseManifest.ts';
import { settingsTable } from '../../src/settings/table.ts';
import { programVersion } from '../../src/settings/version.ts';
import { chartFolder, combinations } from './helm.ts';

const readChart = (path: string) => readFileSync(join(chartFolder, path), 'utf8');
const chart = parse(readChart('Chart.yaml'));
const values = readValues(readChart('values.yaml'));
const schema: JsonSchema = JSON.parse(readChart('values.schema.json'));
const templates = readdirSync(join(chartFolder, 'templates'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(yaml|tpl|txt)$/.test(name))
  .map((name) => readChart(join('templates', name)))
  .join('\n');

test.each([...makeChartFiles()])('%s is what its sources say (else run: npm run generate)', (path, text) => {
  expect(readChart(path) === text).toBe(true);
});

test('README.md links to files that exist, and shows every recipe', () => {
  const readme = readChart('README.md');
  const links = [...readme.matchAll(/\]\(([^)#:\s]+)(?:#[^)\s]*)?\)/g)].map(([, path = '']) => path);
  expect(links.length).toBeGreaterThan(15);
  for (const path of links) expect(existsSync(join(chartFolder, path)), path).toBe(true);
  for (const name of combinations) expect(links).toContain(`ci/${name}.yaml`);
});

describe('Chart.yaml', () => {
  test('is of the version of the program', () => {
    expect(chart.appVersion).toBe(programVersion);
    expect(parse(chart.annotations['artifacthub.io/images'])).toEqual([
      { name: 'audit-export', image: `audit-export:${programVersion}` },
    ]);
  });

  test('describes the CRD as it is, with an example that is valid', () => {
    const crd = parse(
      readFileSync(join(chartFolder, '../../crds/auditexportconfigs.auditexport.dev.yaml'), 'utf8'),
    );
    expect(parse(chart.annotations['artifacthub.io/crds'])).toEqual([
      expect.objectContaining({
        kind: crd.spec.names.kind,
        version: crd.spec.versions[0].name,
        name: crd.metadata.name,
      }),
    ]);
    for (const example of parse(chart.annotations['artifacthub.io/crdsExamples'])) {
      expect(parseManifest(example)).toMatchObject({ ok: true });
    }
  });

  test('names license, category and changes', () => {
    expect(chart.annotations).toMatchObject({
      'artifacthub.io/license': 'Apache-2.0',
      'artifacthub.io/category': 'monitoring-logging',
    });
    expect(parse(chart.annotations['artifacthub.io/changes']).length).toBeGreaterThan(0);
  });
});

describe('values.yaml', () => {
  test('has a template for every value', () => {
    const unused = values.map(({ path }) => path).filter((path) => !isUsed(path));
    expect(unused).toEqual([]);
  });

  test('has every value that a template asks for', () => {
    const known = values.map(({ path }) => path);
    const asked = new Set([...templates.matchAll(/\.Values\.([\w.]+\w)/g)].map(([, path = '']) => path));
    const unknown = [...asked].filter(
      (path) =>
        !path.startsWith('settings.') && !known.some((each) => each === path || each.startsWith(`${path}.`)),
    );
    expect(unknown).toEqual([]);
  });

  test('has the default of the program for the one setting it repeats', () => {
    const { presence } = settingsTable.shutdownGraceMs;
    const value = presence.kind === 'default' ? Number(presence.value) : undefined;
    expect(values.find(({ path }) => path === 'settings')?.default).toEqual({ shutdownGraceMs: value });
  });

  test('is in the schema whole', () => {
    const missing = values.map(({ path }) => path).filter((path) => schemaAt(path) === undefined);
    expect(missing).toEqual([]);
    const undescribed = values.filter(({ path }) => schemaAt(path)?.['description'] === undefined);
    expect(undescribed).toEqual([]);
  });
});

describe('values.schema.json', () => {
  /** What is handed to Kubernetes as it is, and judged by the API server. */
  const open = [
    /^configs\.volume$/,
    /^affinity\.\w+$/,
    /^extraEnv\[\]\.valueFrom$/,
    /^(extraVolumes|topologySpreadConstraints|networkPolicy\.egress\.extra)\[\]$/,
    /^networkPolicy\..*\[\]\.(ipBlock|namespaceSelector|podSelector)$/,
    /^global$/,
  ];

  test('is closed but for these', () => {
    const opened = [...walk(schema, '')]
      .filter(([, node]) => node['type'] === 'object' && node['additionalProperties'] === true)
      .map(([path]) => path);
    expect(opened.filter((path) => !open.some((pattern) => pattern.test(path)))).toEqual([]);
    const undecided = [...walk(schema, '')].filter(
      ([, node]) => node['type'] === 'object' && node['additionalProperties'] === undefined,
    );
    expect(undecided).toEqual([]);
  });

  test('has no value that values.yaml does not explain', () => {
    const known = new Set(values.map(({ path }) => path));
    const unexplained = [...walk(schema, '')]
      .filter(([path, node]) => path !== '' && !path.includes('[]') && node['properties'] === undefined)
      .map(([path]) => path)
      .filter((path) => ![...known].some((each) => path === each || path.startsWith(`${each}.`)))
      .filter((path) => !path.startsWith('settings.') && path !== 'global');
    expect(unexplained).toEqual([]);
  });
});

describe('settings', () => {
  test('can all be reached', () => {
    const reachable = new Set([
      ...decided.keys(),
      ...listSettings()
        .filter(({ key }) => key in settingSchemas())
        .map(({ setting }) => setting.name),
    ]);
    expect(Object.values(settingsTable).map(({ name }) => name)).toEqual(
      expect.arrayContaining([...reachable]),
    );
    expect([...reachable].length).toBe(Object.keys(settingsTable).length);
    // What has a value of its own is named by a template, as it is or as a file.
    const own = [...decided].filter(([, value]) => !value.includes('extraEnv')).map(([name]) => name);
    for (const name of own) expect(templates).toMatch(new RegExp(`name: ${name}(_FILE)?\\n`));
  });
});

test('the rules of the roles are those of crds/rbac.yaml', () => {
  const roles = parseAllDocuments(readFileSync(join(chartFolder, '../../crds/rbac.yaml'), 'utf8'))
    .map((document) => document.toJS())
    .filter(({ kind }) => kind === 'ClusterRole');
  const text = readChart('templates/_rules.tpl');
  const rules = [...text.matchAll(/rules\.(\w+)" -\}\}\n([\s\S]*?)\n\{\{- end/g)].map(([, , body = '']) =>
    parse(body),
  );
  expect(rules).toEqual(roles.map((role) => role.rules));
});

/** Named in full, or with a map that is written out as a whole. */
function isUsed(path: string): boolean {
  const parts = path.split('.');
  return parts.some((_, index) => {
    const name = parts.slice(0, parts.length - index).join('.');
    const isWhole = index === 0 ? '(?![.\\w])' : '(?![.\\w])(?= *\\}\\}| \\||\\))';
    return new RegExp(`(\\.Values|\\$page)\\.${name.replaceAll('.', '\\.')}${isWhole}`).test(templates);
  });
}

function schemaAt(path: string): JsonSchema | undefined {
  return path
    .split('.')
    .reduce<JsonSchema | undefined>(
      (node, key) => (node?.['properties'] as Record<string, JsonSchema> | undefined)?.[key],
      schema,
    );
}

function* walk(node: JsonSchema, path: string): Generator<[string, JsonSchema]> {
  yield [path, node];
  for (const [key, child] of Object.entries((node['properties'] ?? {}) as Record<string, JsonSchema>)) {
    yield* walk(child, path === '' ? key : `${path}.${key}`);
  }
  if (node['items'] !== undefined) yield* walk(node['items'] as JsonSchema, `${path}[]`);
}
