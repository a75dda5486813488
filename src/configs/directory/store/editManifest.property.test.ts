import fc from 'fast-check';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { buildSpec, compareUnits, listUnits } from '../../editor/specUnits.ts';
import { parseManifestText } from '../../parseManifestText.ts';
import { editReconcileAt, editSpec, renderManifest } from './editManifest.ts';

const word = fc.stringMatching(/^[ -~]{1,12}$/);
/** Not a name that only the collector may send, such as `TE`. */
const token = fc.stringMatching(/^[xX][a-zA-Z-]{0,8}$/);
const header = fc.oneof(
  fc.record({ name: token, value: word }),
  fc.record({
    name: token,
    valueFrom: fc.record({
      secretKeyRef: fc.constantFrom({ name: 's', key: 'k' }, { name: 't', key: 'yes' }),
    }),
  }),
);
const spec = fc.record(
  {
    organization: fc.constant('acme'),
    endpoint: fc.constantFrom(
      'https://a.example.com',
      'https://b.example.com/x?y=%23',
      'http://127.0.0.1:4318',
    ),
    headers: fc.uniqueArray(header, { maxLength: 4, selector: ({ name }) => name.toLowerCase() }),
    maxBatchSize: fc.integer({ min: 1, max: 1000 }),
    suspend: fc.boolean(),
    compression: fc.constantFrom('gzip', 'none'),
    filter: fc.record(
      { eventTypes: fc.array(word, { maxLength: 3 }), projects: fc.array(word, { maxLength: 2 }) },
      { requiredKeys: [] },
    ),
    tls: fc.record(
      {
        caSecretRef: fc.constantFrom({ name: 's', key: 'ca.crt' }, { name: 'u', key: 'x' }),
        serverName: fc.constantFrom('a.example.com', 'no'),
        insecureSkipVerify: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['organization', 'endpoint'] },
);
const style = fc.record({
  indent: fc.constantFrom(2, 4),
  indentSeq: fc.boolean(),
  collectionStyle: fc.constantFrom<'any' | 'flow'>('any', 'flow'),
  defaultStringType: fc.constantFrom<'PLAIN' | 'QUOTE_SINGLE'>('PLAIN', 'QUOTE_SINGLE'),
});

function readUnits(text: string): Map<string, unknown> {
  const parsed = parseManifestText(text, 'x.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  return listUnits(parsed.manifest.spec);
}

it('makes of any manifest one that asks for what is wanted, whatever its style', () => {
  fc.assert(
    fc.property(spec, spec, style, (from, to, options) => {
      const manifest = {
        apiVersion: 'auditexport.dev/v1',
        kind: 'AuditExportConfig',
        metadata: { name: 'siem' },
        spec: from,
      };
      const text = `# first\n${stringify(manifest, { ...options, lineWidth: 0, aliasDuplicateObjects: false })}# last\n`;
      const edited = editSpec(text, listUnits(to)) ?? '';
      expect(compareUnits(readUnits(edited), listUnits(to))).toEqual({ changed: [], removed: [] });
      expect(edited).toMatch(/^# first\n[\s\S]*# last\n$/);
      expect(edited.match(/^# (first|last)$/gm)).toHaveLength(2);
      // What has not changed is not written either.
      expect(editSpec(edited, listUnits(to))).toBe(edited);
      const asked = editReconcileAt(edited, '2026-01-31T08:00:00Z') ?? '';
      expect(readUnits(asked)).toEqual(readUnits(edited));
    }),
    { numRuns: 300 },
  );
});

it('writes a new manifest that says what was asked for', () => {
  fc.assert(
    fc.property(spec, (wanted) => {
      const units = listUnits(buildSpec(listUnits(wanted)));
      expect(compareUnits(readUnits(renderManifest('siem', units)), units)).toEqual({
        changed: [],
        removed: [],
      });
    }),
    { numRuns: 100 },
  );
});
