/**
 * The table of built-in views: filters that many people want, as plain links. Event types are the product's own, so a view takes those of
 * the organization whose words say so; one that no event type fits is not offered.
 */
import { logsUrl } from '../urls.ts';
import type { LinkView } from '../views/listViews.ts';
import { isFilterValue, mostValues } from './filterRow.ts';
import { noFilters, toSearch } from './filters.ts';
import type { Filters } from './filterTable.ts';

interface BuiltInView {
  readonly words: string;
  readonly choose: (eventTypes: readonly string[]) => Partial<Filters> | null;
}

const views: readonly BuiltInView[] = [
  { words: 'Deletions', choose: byType((words) => has(words, /^(delet|remov|destroy|purg|eras|terminat)/)) },
  {
    words: 'Access changes',
    choose: byType(
      (words) =>
        has(
          words,
          /^(roles?|permissions?|grants?|granted|revoked?|invited|memberships?|members?|polic(y|ies)|acls?|api_?keys?|tokens?|credentials?)$/,
        ) && !has(words, /^(get|list|describe|read|viewed|login|used)$/),
    ),
  },
  {
    words: 'Failed logins',
    choose: byType(
      (words) =>
        has(words, /^(login|logon|signin|sign|auth|authentication)$/) &&
        has(words, /^(fail|den|reject|lock)/),
    ),
  },
  { words: 'Machine sessions', choose: () => ({ notSessionTypes: ['user'] }) },
  {
    words: 'Changes of the export',
    choose: byType((_words, type) =>
      /^audit_export\.(created|updated|deleted|suspended|resumed|replayed|config_\w+)$/.test(type),
    ),
  },
];

/** Links to the views that fit what the organization has, of all times that `filters` asks for. */
export function listBuiltInViews(
  eventTypes: readonly string[],
  time: Filters['time'],
  organization: string,
): LinkView[] {
  return views.flatMap(({ words, choose }) => {
    const chosen = choose(eventTypes);
    return chosen === null
      ? []
      : [{ words, url: logsUrl(organization, toSearch({ ...noFilters, ...chosen, time })) }];
  });
}

function byType(fits: (words: readonly string[], type: string) => boolean): BuiltInView['choose'] {
  return (eventTypes) => {
    const chosen = eventTypes
      .filter((type) => isFilterValue(type) && fits(wordsOf(type), type))
      .slice(0, mostValues);
    return chosen.length === 0 ? null : { eventTypes: chosen.toSorted() };
  };
}

/** `apiKey.revoked` and `api_key.revoked` are `api`, `key`, `revoked`, and `api_key` too. */
function wordsOf(type: string): string[] {
  const parts = type
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}_]+/u);
  return parts.flatMap((part) => [part, ...part.split('_')]);
}

const has = (words: readonly string[], pattern: RegExp): boolean => words.some((word) => pattern.test(word));
