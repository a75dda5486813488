/** The value of OTEL_EXPORTER_OTLP_HEADERS: pairs with commas between them, values in percent-encoding as in W3C Baggage. */

/** null: it is no such list. A value may have `=` in it. */
export function readHeaderList(list: string): Array<{ name: string; value: string }> | null {
  const pairs = list
    .split(',')
    .filter((pair) => pair.trim() !== '')
    .map((pair) => /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(.+?)\s*$/s.exec(pair));
  if (pairs.length === 0 || pairs.includes(null)) return null;
  return pairs.map((pair) => ({ name: pair?.[1] ?? '', value: decode(pair?.[2] ?? '') }));
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
