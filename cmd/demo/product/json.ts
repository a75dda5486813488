/** JSON text with integers of any size, which JSON.stringify refuses. */
export type JsonValue =
  | null
  | string
  | boolean
  | number
  | bigint
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export function toJsonText(value: JsonValue): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(toJsonText).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([key, member]) => `${JSON.stringify(key)}:${toJsonText(member)}`,
    );
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}
