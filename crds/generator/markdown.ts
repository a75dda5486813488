/** Tables in Markdown, and their places in files that are written by hand. */

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** Replaces what stands between `<!-- NAME: … -->` and `<!-- end -->`. @throws Error when a place is not there. */
export function fillIn(text: string, parts: ReadonlyMap<string, string>): string {
  let filled = text;
  for (const [name, part] of parts) {
    const place = new RegExp(`(<!-- ${name}: [^>]*-->\\n)[\\s\\S]*?(\\n<!-- end -->)`);
    if (!place.test(filled)) throw new Error(`there is no place for ${name}`);
    filled = filled.replace(place, (_, start: string, end: string) => start + part + end);
  }
  return filled;
}
