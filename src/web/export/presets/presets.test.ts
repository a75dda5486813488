import { describe, expect, it } from 'vitest';
import { resolveEndpoint } from '../../../configs/destination/resolveDestination.ts';
import { listPaths } from '../doctor/paths.ts';
import { findPresetOf } from './presets.ts';
import { presetTable } from './presetTable.ts';

describe.each(presetTable)('the preset $name', ({ id, endpoint, parts, headers, receiver, source }) => {
  it('leads to logs once its parts are filled in, and cites its page', () => {
    const named = [...endpoint.matchAll(/<([^<>]+)>/g)].map(([, part = '']) => part);
    expect(Object.keys(parts)).toEqual([...new Set(named)]);
    const filled = endpoint.replace(/<[^<>]+>/g, 'mine');
    expect(resolveEndpoint(filled).pathname).toMatch(/\/v1\/logs$/);
    expect(source).toMatch(/^https:\/\//);
    expect(receiver).toMatch(/^[^\n]+\.$/);
    expect(id).toMatch(/^[a-z0-9-]+$/);
    expect(new Set(headers.map(({ name }) => name.toLowerCase())).size).toBe(headers.length);
  });
});

it.each([
  ['https://api.eu1.honeycomb.io', 'Honeycomb'],
  ['https://otlp-gateway-prod-eu-west-2.grafana.net/otlp/v1/logs', 'Grafana Cloud'],
  ['https://ingest.eu.signoz.cloud:443', 'SigNoz Cloud'],
  ['https://otel.example.com:4318', undefined],
  ['https://evil-signoz.cloud.example.com', undefined],
])('tells whose endpoint %s is', (endpoint, name) => {
  expect(findPresetOf(endpoint)?.name).toBe(name);
});

it('has the doctor look where the receivers of the table take logs', () => {
  expect(listPaths('/')).toEqual([
    '/v1/logs',
    '/api/v2/otlp/v1/logs',
    '/_otlp/v1/logs',
    '/api/v1/ingest/otlp/v1/logs',
    '/otlp/v1/logs',
    '/v2/otel/v1/logs',
    '/insert/opentelemetry/v1/logs',
  ]);
});
