/** values.yaml as a list: path, default and the comment of each value. */
import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml';

export interface ChartValue {
  /** `image.tag` */
  readonly path: string;
  readonly default: unknown;
  /** The comment after `# --`. */
  readonly description: string;
}

/** @throws Error naming the value that has no description. */
export function readValues(text: string): ChartValue[] {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error('values.yaml is not a map.');
  return [...readMap(contents, '')];
}

function* readMap(map: YAMLMap, prefix: string): Generator<ChartValue> {
  // The comment of a map's first key is kept with the map.
  let comment = map.commentBefore ?? '';
  for (const { key, value } of map.items) {
    if (!isScalar(key)) throw new Error(`A key in ${prefix} is not a word.`);
    comment = key.commentBefore ?? comment;
    const path = `${prefix}${key.value}`;
    // The last of several comments is the value's own.
    const description = /(?:^|\n) -- (.*)$/.exec(comment)?.[1];
    comment = '';
    if (description !== undefined) {
      const node = value as { toJSON(): unknown } | null;
      yield { path, default: node?.toJSON() ?? null, description };
    } else if (isMap(value)) yield* readMap(value, `${path}.`);
    else throw new Error(`values.yaml: ${path} has no comment that begins with "# --".`);
  }
}
