/**
 * Orders the files of a run so that no long one is left alone at the end: the long ones first, by a list, since a fresh
 * clone has no durations of an earlier run; then the others by size.
 */
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Each line begins with a file that mostly waits and goes on with those that need the processor meanwhile. */
const longest = [
  ['hostile/hostile', 'page/exportDrawer', 'database/versions'],
  ['delivery/failover', 'page/entry', 'commands'],
  ['kubernetes/churn', 'delivery/unreadable', 'demo/start'],
  ['page/exportDelivery', 'demo/newcomer', 'page/list'],
  ['kubernetes/outages', 'kubernetes/exportDrawer', 'database/entryBounds'],
  ['delivery/chaos', 'page/filters', 'image/image'],
  ['kubernetes/collector', 'page/access', 'page/security'],
  ['delivery/standby', 'search/heavyEntries', 'page/download'],
  ['upgrade/upgrade', 'page/live', 'search/plans'],
  ['search/indexer', 'kubernetes/editor', 'delivery/fairness'],
  ['kubernetes/status', 'chart/install', 'kubernetes/crd'],
  ['docs/gettingStarted', 'database/migrate', 'bench'],
]
  .flat()
  .map((name) => `test/${name}.test.ts`);

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = longest.indexOf(relative(this.ctx.config.root, moduleId));
      return at === -1 ? longest.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
