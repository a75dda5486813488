/**
 * Orders the files of a run so that no long one is left alone at the end: the long ones first, by a list, since a fresh
 * clone has no durations of an earlier run; then the others by size.
 */
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The first line measures times and waits much: those bear each other better than what needs the processor all the time,
 * as the others do.
 */
const longest = [
  ['node/troubles', 'delivery/failover', 'kubernetes/churn', 'kubernetes/outages'],
  [
    'database/versions',
    'page/exportDrawer',
    'page/exportDelivery',
    'page/exportStates',
    'demo/start',
    'delivery/unreadable',
    'delivery/saying',
    'commands',
    'demo/newcomer',
  ],
  // A node has all that it needs of the machine if no other one is there: the first ends about when the second begins.
  ['node/newcomer', 'page/entry', 'page/list', 'database/entryBounds', 'image/image'],
  [
    'image/built',
    'kubernetes/exportDrawer',
    'delivery/chaos',
    'page/filters',
    'kubernetes/collector',
    'upgrade/upgrade',
  ],
  ['node/node'],
  ['page/access', 'page/security', 'search/indexer', 'search/heavyEntries', 'delivery/fairness'],
  [
    'kubernetes/editor',
    'page/download',
    'page/live',
    'page/histogram',
    'page/connection',
    'delivery/standby',
    'search/plans',
    'tools/cluster',
  ],
  ['kubernetes/status', 'kubernetes/resilience', 'kubernetes/crd', 'docs/gettingStarted'],
  [
    'bench',
    'demo/postgres',
    'chart/render',
    'chart/server',
    'kubernetes/scale',
    'delivery/streams',
    'page/oidc',
  ],
  [
    'kubernetes/limits',
    'database/migrate',
    'delivery/databaseOutage',
    'delivery/movedDatabase',
    'transport/shares',
  ],
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
