/** The id of an input, by its name. */
export function idOf(name: string): string {
  return `field-${name.replaceAll('.', '-')}`;
}
