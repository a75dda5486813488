import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** Of the nearest heading above. */
  readonly heading: string;
}

/** The fenced blocks of a page of the repository, in order; those inside lists lose their indent. */
export async function readCodeBlocks(page: string): Promise<CodeBlock[]> {
  const text = await readFile(join(import.meta.dirname, '../..', page), 'utf8');
  const blocks: CodeBlock[] = [];
  let heading = '';
  let open: { language: string; indent: number; lines: string[] } | null = null;
  for (const line of text.split('\n')) {
    const [, spaces = '', language] = /^( *)```(\w*)$/.exec(line) ?? [];
    if (open !== null && language === '') {
      blocks.push({ language: open.language, text: open.lines.join('\n'), heading });
      open = null;
    } else if (open !== null) {
      open.lines.push(line.slice(open.indent));
    } else if (language !== undefined) {
      open = { language, indent: spaces.length, lines: [] };
    } else {
      heading = /^#+ (.+)$/.exec(line)?.[1] ?? heading;
    }
  }
  return blocks;
}
