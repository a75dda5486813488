import { describe, expect, it } from 'vitest';
import { readForm } from '../exportForm.ts';
import { findCredentialMistake } from './credentials.ts';

const judge = (endpoint: string, name = '', value = '') =>
  findCredentialMistake(
    readForm({ endpoint, ...(name !== '' && { 'headers.0.name': name, 'headers.0.value': value }) }),
  )?.says;

describe('findCredentialMistake', () => {
  it.each([
    [
      'https://api.honeycomb.io',
      'Authorization',
      /^Honeycomb asks for the header x-honeycomb-team, with “API key”/,
    ],
    ['https://ingest.eu.signoz.cloud', '', /^SigNoz Cloud asks for the header signoz-ingestion-key/],
    ['https://api.honeycomb.io', 'X-Honeycomb-Team', undefined],
    ['https://otel.example.com', '', /^No header is set/],
  ])('knows what %s asks for beside %s', (endpoint, name, says) => {
    const said = judge(endpoint, name, 'Bearer abc');
    if (says === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(says);
  });
});
