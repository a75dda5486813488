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
