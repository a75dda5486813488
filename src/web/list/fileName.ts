/** Names the file of a download after its organization and day, and writes that as a header (RFC 6266). */

/** File systems take 255 bytes; a character is four at most. */
const mostCharacters = 48;

/** Such as `audit-logs-acme-2026-02-03.csv`; the day is that of UTC. */
export function fileName(organization: string, now: Date, extension: string): string {
  const safe = [...organization.toWellFormed().replace(/[\p{C}\p{Z}\\/:*?"<>|%]+/gu, '-')].slice(
    0,
    mostCharacters,
  );
  return `audit-logs-${safe.join('')}-${now.toISOString().slice(0, 10)}.${extension}`;
}

/** Browsers take `filename*`; the rest take the name in ASCII. */
export function attachment(name: string): string {
  const ascii = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\w.]+/g, '-');
  const encoded = encodeURIComponent(name).replace(
    /['()*!]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
