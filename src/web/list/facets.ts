/** The menus of values to filter by: event types, actors, projects and session types, with how many entries have each. */
import { type Facet, readFacet } from '../../search/facets.ts';
import { formatCount, formatPercent } from '../format/count.ts';
import { describeSession } from '../format/sessionWords.ts';
import { formatUtc } from '../format/time.ts';
import { sendFragment, sendProblem, whenGone } from '../reply/reply.ts';
import { logsUrl, searchParamsOf } from '../urls.ts';
import type { FacetOptionView, FacetView } from '../views/listViews.ts';
import type { Visit } from '../visit.ts';
import type { Asked } from './asked.ts';
import { isFilterValue } from './filterRow.ts';
import { parseFilters, toEntryQuery, toSearch } from './filters.ts';
import type { Filters } from './filterTable.ts';

/** null: entries without a value. */
type Values = ReadonlyArray<string | null>;

interface Menu {
  readonly label: string;
  readonly find: string;
  readonly included: (filters: Filters) => Values;
  readonly excluded: (filters: Filters) => Values;
  readonly isMono?: boolean;
  readonly describe: (value: string) => string;
}

const asItIs = (value: string): string => value;

const menus = {
  type: {
    label: 'Event type',
    find: 'Find an event type, or enter one exactly',
    included: ({ eventTypes }) => eventTypes,
    excluded: ({ notEventTypes }) => notEventTypes,
    isMono: true,
    describe: asItIs,
  },
  actor: {
    label: 'Actor',
    find: 'Find an actor, or enter a name or id exactly',
    included: ({ actors }) => actors,
    excluded: ({ notActors }) => notActors,
    describe: asItIs,
  },
  project: {
    label: 'Project',
    find: 'Find a project, or enter one exactly',
    included: ({ projects }) => projects,
    excluded: ({ notProjects }) => notProjects,
    describe: asItIs,
  },
  session: {
    label: 'Session',
    find: 'Find a session type, or enter one exactly',
    included: ({ sessionTypes }) => sessionTypes,
    excluded: ({ notSessionTypes }) => notSessionTypes,
    describe: describeSession,
  },
} as const satisfies Readonly<Record<string, Menu>>;

type Key = keyof typeof menus;
export const facetKeys = Object.keys(menus) as Key[];

export async function showFacet(visit: Visit): Promise<void> {
  const { request, response, organization, context } = visit;
  const key = facetKeys.find((each) => each === request.params['choice']);
  if (key === undefined) {
    sendProblem(request, response, 404, {
      title: 'There are no such values',
      message: `Values are counted for ${facetKeys.join(', ')}.`,
    });
    return;
  }
  const parsed = parseFilters(searchParamsOf(request));
  const view = await readFacetView(
    { context, organization, parsed, signal: whenGone(response) },
    key,
    'counted',
  );
  sendFragment(visit, 'audit-logs/facet-values', view);
}

/** `chosen`: only what is chosen, without a look at the database. */
export async function readFacetView(
  { context, organization, parsed, signal }: Asked,
  key: Key,
  what: 'chosen' | 'counted',
): Promise<FacetView> {
  const { filters } = parsed;
  const query = toEntryQuery(filters, organization, new Date());
  const facet = what === 'chosen' ? null : await readFacet(context.db, query, key, { signal });
  return makeFacetView(filters, organization, key, facet);
}

/** `facet` null: only what is chosen is known. */
export function makeFacetView(
  filters: Filters,
  organization: string,
  key: Key,
  facet: Facet | null,
): FacetView {
  const menu: Menu = menus[key];
  const [included, excluded] = [menu.included(filters), menu.excluded(filters)];
  const found = (facet?.values ?? []).filter(({ value }) =>
    value === null ? key === 'project' : isFilterValue(value),
  );
  const chosen = [...new Set([...included, ...excluded])];
  const isExact = facet?.counted.kind === 'all';
  const toOption = (value: string | null): FacetOptionView => {
    const known = found.find((each) => each.value === value);
    const count = known?.count ?? (isExact && !facet?.isCut ? 0 : null);
    const box = (prefix: '' | 'not-', values: Values) => ({
      name: value === null ? `${prefix}noproject` : `${prefix}${key}`,
      value: value ?? '1',
      isChecked: values.includes(value),
    });
    return {
      label: value === null ? 'No project: the organization itself' : labelOf(value, known?.label, menu),
      isMono: (menu.isMono ?? false) && value !== null,
      count: count === null ? null : `${isExact ? '' : '≥ '}${formatCount(count)}`,
      include: box('', included),
      exclude: box('not-', excluded),
    };
  };
  const others = found.filter(({ value }) => !chosen.includes(value)).map(({ value }) => value);
  return {
    key,
    label: menu.label,
    find: menu.find,
    url: logsUrl(organization, '', `/values/${key}`),
    isActive: chosen.length > 0,
    options: [...chosen, ...others].map(toOption),
    notes: facet === null ? [] : describeFacet(facet, found.length),
    isCounted: facet !== null,
  };
}

/** `Ada Lovelace (u-17)` of an actor. */
function labelOf(value: string, name: string | null | undefined, menu: Menu): string {
  return name && name !== value ? `${name} (${value})` : menu.describe(value);
}

function describeFacet({ counted, isCut }: Facet, found: number): string[] {
  const notes = found === 0 && counted.kind === 'all' ? ['No entry of this range has one.'] : [];
  if (isCut) notes.push('Only the most frequent are listed.');
  if (counted.kind === 'sample')
    notes.push(
      `Counted in ${formatPercent(counted.share)} of the range, spread evenly. There may be others.`,
    );
  if (counted.kind === 'newest')
    notes.push(
      counted.backTo === null
        ? 'Not all could be counted in time. There may be others.'
        : `Counted back to ${formatUtc(counted.backTo)} UTC. There may be others.`,
    );
  return notes;
}

export function overviewUrl(organization: string, filters: Filters): string {
  const search = new URLSearchParams(toSearch(filters));
  search.append('overview', '1');
  search.sort();
  return logsUrl(organization, search.toString());
}
