/** The clusters that have written entries of an organization; a step in the index for each. */

/** For `with recursive`. `organization` is a parameter. */
export function organizationClusters(organization: string): string {
  return `clusters as (
       (select cluster from audit.entries where organization = ${organization} order by cluster limit 1)
       union all
       select next.cluster from clusters c, lateral (
         select e.cluster from audit.entries e where e.organization = ${organization} and e.cluster > c.cluster order by e.cluster limit 1) as next)`;
}
