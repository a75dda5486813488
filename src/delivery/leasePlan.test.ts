import { describe, expect, test } from 'vitest';
import { type LeaseFacts, planLeases } from './leasePlan.ts';

/** Three streams, all wanted, held and running here under token 1, by the one replica there is; except as told. */
function plan(facts: Partial<LeaseFacts> = {}) {
  const all = tokens('a', 'b', 'c');
  return planLeases({
    held: all,
    running: all,
    ending: new Set(),
    wanted: new Set(all.keys()),
    wantedCount: all.size,
    liveReplicas: 1,
    ...facts,
  });
}

function tokens(...ids: string[]): Map<string, string> {
  return new Map(ids.map((id) => [id, '1']));
}

test('changes nothing while everything that is wanted runs here', () => {
  expect(plan()).toEqual({ lost: [], given: [], orphans: [], free: [], claim: 0 });
});

test('claims what is wanted and does not run, no more than its share', () => {
  const none = { held: tokens(), running: tokens() };
  expect(plan(none)).toMatchObject({ free: ['a', 'b', 'c'], claim: 3 });
  expect(plan({ ...none, liveReplicas: 2 })).toMatchObject({ free: ['a', 'b', 'c'], claim: 2 });
  expect(plan({ ...none, liveReplicas: 5 })).toMatchObject({ claim: 1 });
});

test('counts a config whose row is not known yet into its share', () => {
  expect(plan({ wantedCount: 5, liveReplicas: 2 })).toMatchObject({ given: [], claim: 0 });
  expect(plan({ wantedCount: 7, liveReplicas: 2 })).toMatchObject({ given: [], claim: 1 });
});

test('gives away what is more than its share, the latest first', () => {
  expect(plan({ liveReplicas: 2 })).toMatchObject({ given: ['c'], lost: [], claim: 0 });
  expect(plan({ liveReplicas: 3 })).toMatchObject({ given: ['b', 'c'], claim: 0 });
});

test('gives away what nobody wants, and keeps the rest although it is all of its share', () => {
  const wanted = new Set(['b', 'c']);
  expect(plan({ wanted, wantedCount: 2 })).toMatchObject({ given: ['a'], free: [], claim: 0 });
  expect(plan({ wanted: new Set(), wantedCount: 0 })).toMatchObject({ given: ['a', 'b', 'c'], claim: 0 });
});

describe('a stream that another replica has taken', () => {
  test('is lost whether its row names the other one or came back with another token', () => {
    const held = new Map([...tokens('a'), ['b', '2']]);
    expect(plan({ held })).toMatchObject({ lost: ['b', 'c'], given: [], orphans: [] });
  });

  test('is not given as well when it is no longer wanted', () => {
    const planned = plan({ held: tokens('a', 'b'), wanted: new Set(['a', 'b']), wantedCount: 2 });
    expect(planned).toMatchObject({ lost: ['c'], given: [] });
  });

  test('leaves room for another', () => {
    expect(plan({ held: tokens('a', 'b') })).toMatchObject({ lost: ['c'], claim: 1 });
  });
});

test('releases what names this replica and does not run here', () => {
  expect(plan({ running: tokens('a', 'b') })).toMatchObject({ orphans: ['c'], free: ['c'], claim: 1 });
});

test('leaves alone what is on its way out', () => {
  const ending = new Set(['c']);
  expect(plan({ running: tokens('a', 'b'), ending })).toMatchObject({ orphans: [], free: [], claim: 1 });
});
