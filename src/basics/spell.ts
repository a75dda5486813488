/** The text of a value of JSON, the same whatever the order of its fields. Equal texts mean equal values. */
import { isMap } from './isMap.ts';

export function spell(value: unknown): string {
  return (
    JSON.stringify(value, (_, each: unknown) =>
      isMap(each) ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1))) : each,
    ) ?? ''
  );
}
