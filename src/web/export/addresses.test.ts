import { describe, expect, it } from 'vitest';
import { parseConfigId, printConfigId } from './addresses.ts';

describe('parseConfigId', () => {
  it('divides at the first dot: a namespace has none', () => {
    const id = { namespace: 'flows', name: 'acme.siem' };
    expect(parseConfigId(printConfigId(id))).toEqual(id);
  });

  it.each(['', 'new', 'a.', '.a', '../x', 'a./../b', 'A.b', 'a.b/c', `a.${'x'.repeat(254)}`])(
    'takes %s for none',
    (text) => {
      expect(parseConfigId(text)).toBeNull();
    },
  );
});
