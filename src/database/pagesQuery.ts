/**
 * The SQL of the first pages of several windows, as one plan: a hundred take a twentieth of the time that a hundred plans take, which
 * is most of what a page of a few entries costs.
 */
import pg from 'pg';
import { parseSnapshot } from '../model/snapshot.ts';
import { filterCondition } from './filterCondition.ts';
import { entryColumns, lateTransactions, type WindowOwner } from './pageQuery.ts';
import { entryFields, withProof } from './provenCopy.ts';

const literal = pg.escapeLiteral;

/**
 * At most `maxRows` entries of each, with their number as `copyAllProven` takes it; see pageQuery.ts for the branches. All are streams,
 * or all are ledgers.
 */
export function pagesQuery(owners: readonly WindowOwner[], maxRows: number): string {
  const rows = owners.map(({ id, token = 0, organization, cluster, settled, window }, n) => {
    const [before, now] = [parseSnapshot(settled), parseSnapshot(window.snapshot)];
    const late = lateTransactions(before, now);
    return `(${n}, ${literal(id)}::uuid, ${BigInt(token)}::bigint, ${literal(organization)}, ${BigInt(cluster)}::bigint,
      ${literal(window.snapshot)}::pg_snapshot, '${before.xmax}'::xid8, '${now.xmax}'::xid8, '{${late.join(',')}}'::xid8[])`;
  });
  const filters = owners
    .map(({ window }, n) => ({ n, condition: filterCondition(window.filter) }))
    .filter(({ condition }) => condition !== 'true');
  const matches =
    filters.length === 0
      ? 'true'
      : `case w.n ${filters.map(({ n, condition }) => `when ${n} then ${condition}`).join(' ')} else true end`;
  const of = 'organization = w.organization and cluster = w.cluster';
  const visible = 'pg_visible_in_snapshot(xid, w.snapshot)';
  const late = `(select ${entryColumns.replaceAll(/\w+/g, 'e.$&')}
    from (select x from unnest(w.late) x order by x) late
    cross join lateral (select ${entryColumns} from audit.entries
      where ${of} and xid = late.x and ${visible} order by id limit ${maxRows}) e
    order by late.x, e.id limit ${maxRows})`;
  const since = `(select ${entryColumns} from audit.entries
    where ${of} and xid >= w.low and xid < w.high and ${visible} order by xid, id limit ${maxRows})`;
  const atWindow = 's.id = w.owner and s.window_snapshot::text = w.snapshot::text';
  const part = withProof(
    owners[0]?.token === undefined
      ? `audit.ledgers s where ${atWindow}`
      : `audit.streams s where ${atWindow} and s.token = w.token`,
    `${entryFields('matches')} from (select *, ${matches} as matches from (${late} union all ${since}) as page) as page
    order by xid, id limit ${maxRows}`,
  );
  return `select part.*, w.n from (values ${rows.join(', ')})
    as w(n, owner, token, organization, cluster, snapshot, low, high, late) cross join lateral (${part}) as part`;
}
