/** Runs a query under EXPLAIN and says in a few numbers what it read. */
import type { Database } from '../../src/database/pool.ts';

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly PlanNode[];
  readonly 'Actual Rows': number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
}

export interface Explained {
  readonly root: PlanNode;
  readonly rows: number;
  /** Pages of 8 KiB, each counted as often as it was looked at. */
  readonly buffers: number;
}

export async function explain(db: Database, query: string): Promise<Explained> {
  const result = await db.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `explain (analyze, buffers, format json) ${query}`,
  );
  const root = result.rows[0]?.['QUERY PLAN'][0].Plan;
  if (!root) throw new Error('EXPLAIN returned no plan');
  return {
    root,
    rows: root['Actual Rows'],
    buffers: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
  };
}

export interface Scan {
  readonly relation: string;
  /** undefined: the whole table is read. */
  readonly index: string | undefined;
}

/** Every node that reads a table, in the order of the plan. */
export function collectScans({ root }: Explained): Scan[] {
  const scans: Scan[] = [];
  const visit = (node: PlanNode): void => {
    const relation = node['Relation Name'];
    if (relation !== undefined) {
      // The index of a bitmap scan stands one node below.
      scans.push({ relation, index: node['Index Name'] ?? node.Plans?.[0]?.['Index Name'] });
    }
    node.Plans?.forEach(visit);
  };
  visit(root);
  return scans;
}
