import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonText } from '../format/json.ts';
import { rules } from './rules.ts';
import { printWhat, summarize } from './summarize.ts';

/** The line of a payload; null: there is none. */
function line(eventType: string, payload: unknown): string | null {
  const what = summarize(typeof payload === 'string' ? payload : JSON.stringify(payload), eventType);
  return what && printWhat(what, 80);
}

describe('what happened', () => {
  it.each<[string, unknown, string | null]>([
    // What the product says itself.
    [
      'flow.deleted',
      { 'audit.summary': 'Ada deleted the flow “orders”', name: 'x' },
      'Ada deleted the flow “orders”',
    ],
    ['flow.deleted', { audit: { target: 'orders' }, name: 'x', reason: 'unused' }, 'orders · reason unused'],
    // Named after the event.
    ['flow.deleted', { flow: { id: 42, name: 'Sync orders' }, step: { name: 'x' } }, 'flow Sync orders'],
    ['flow.deleted', { flow: { id: 42 } }, 'flow.id 42'],
    ['flow.deleted', '{"flowId": 9007199254740993}', 'flowId 9007199254740993'],
    ['flow.deleted', { flow: 'orders', name: 'x' }, 'flow orders'],
    ['flow.deleted', { flow_name: 'orders', flow_id: 4 }, 'flow_name orders'],
    ['flows.moved', { flows: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }, 'flows a and 2 more'],
    [
      'iam.AttachRolePolicy',
      { requestParameters: { policyArn: 'arn:p', roleName: 'admin' } },
      'roleName admin',
    ],
    [
      'vpc.Describe',
      { requestParameters: { vpcSet: { items: [{ vpcId: 'vpc-1' }] } } },
      'vpcSet.items.vpcId vpc-1',
    ],
    // By convention.
    ['role.granted', { actor: { name: 'Bob' }, subject: { id: 'u-1', name: 'Ada' } }, 'subject Ada'],
    ['team.joined', { targets: [{ id: 't-1', type: 'team' }] }, 'targets.id t-1'],
    ['user.invited', { email: 'a@b.example', role: 'admin' }, 'email a@b.example'],
    ['thing.done', { name: 'A name' }, 'A name'],
    ['api_key.revoked', { keyId: 7, request: { requestId: 'r' } }, 'keyId 7'],
    // What changed.
    ['flow.updated', { flowId: 42, retries: { before: 3, after: 5 } }, 'flowId 42 · retries 3 → 5'],
    [
      'plan.changed',
      { before: { seats: 3, plan: 'a' }, after: { seats: 4, plan: 'b', x: null } },
      'changed seats, plan, x',
    ],
    ['x.updated', { changes: { title: ['a', 'b'], size: { from: 1, to: 2 } } }, 'changed title, size'],
    ['x.updated', { changed: ['title', 'size'] }, 'changed title, size'],
    // Why, and else the first values.
    [
      'login.failed',
      { reason: 'locked', attempts: 3, request: { ip: '10.0.0.1' } },
      'reason locked · attempts 3',
    ],
    ['x.failed', { error: { code: 'E1', message: 'no' } }, 'error.code E1'],
    [
      'login.succeeded',
      { mfa: true, method: 'sso', none: null, long: 'x'.repeat(100) },
      'mfa true · method sso',
    ],
    // Nothing.
    ['iam.GetUser', { eventName: 'GetUser', awsRegion: 'x', requestParameters: null }, null],
    ['x.y', {}, null],
    ['x.y', [], null],
    ['x.y', '"text"', null],
    ['x.y', { name: 'x'.repeat(70_000) }, null],
  ])('of %s with %j is %j', (eventType, payload, expected) => {
    expect(line(eventType, payload)).toBe(expected);
  });

  it('is cut where it is long, and says how many more have changed', () => {
    expect(line('x.done', { name: 'y'.repeat(90) })).toBe(`${'y'.repeat(80)}…`);
    const changes = Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`f${n}`, [n, n + 1]]));
    expect(line('x.updated', { changes })).toBe('changed f0, f1, f2, f3, f4, f5, f6, f7 and 3 more');
  });

  it('quotes only what stands in the payload, whatever that is', () => {
    const key = fc.oneof(
      fc.constantFrom(...Object.values(rules).flat(2), 'flow', 'flowId', 'flow_name', 'retries', ''),
      fc.string({ unit: 'grapheme', maxLength: 6 }),
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 5, depthSize: 'medium' },
        fc.oneof(
          fc.string({ unit: 'grapheme', maxLength: 8 }),
          fc.integer(),
          fc.double(),
          fc.boolean(),
          fc.constant(null),
        ),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(key, tie('any'), { maxKeys: 5 }),
      ),
    })).any;
    fc.assert(
      fc.property(
        fc.dictionary(key, value, { maxKeys: 6 }),
        fc.constantFrom('flow.updated', 'iam.GetRole', ''),
        (payload, eventType) => {
          const text = JSON.stringify(payload);
          const what = summarize(text, eventType);
          if (what === null) return;
          const scalars = listScalars(text);
          const quotes = [what.target, what.why, ...what.values].filter((quote) => quote !== null);
          for (const { value: quoted } of quotes) expect(scalars).toContain(quoted);
          if (what.said !== null) expect(scalars).toContain(what.said);
          for (const { before, after } of what.changes) {
            expect(before).not.toBe(after);
            for (const each of [before, after]) if (each !== null) expect(text).toContain(each);
          }
          expect(printWhat(what, 80)).not.toBe('');
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

/** Strings without quotes, numbers and words as they are written. */
function listScalars(text: string): string[] {
  const found: string[] = [];
  const visit = (node: NonNullable<ReturnType<typeof parseJsonText>>): void => {
    if ('members' in node) for (const { value } of node.members) visit(value);
    else {
      const raw = text.slice(node.start, node.end);
      found.push(node.kind === 'string' ? (JSON.parse(raw) as string) : raw);
    }
  };
  const root = parseJsonText(text);
  if (root) visit(root);
  return found;
}
