/** Reads one file of a copy, whatever its format, into the comparison. */
import type { Comparison } from './comparison.ts';
import type { CopySource } from './copySource.ts';
import { type OnLine, readLines } from './fileLines.ts';
import type { Finding } from './findings.ts';
import { type CopyFormat, parseJson, type ReadLine } from './formats/format.ts';
import { formats } from './formats/formatTable.ts';

const carriageReturn = 0x0d;

/**
 * @param onProgress is called after each chunk, with the part read, 0 to 1.
 * @returns its format; null: the file has no line.
 * @throws Error one sentence: it cannot be read, or is in no format.
 */
export async function readCopy(
  source: CopySource,
  comparison: Comparison,
  tell: (finding: Finding) => void,
  onProgress: (part: number | null) => void,
): Promise<CopyFormat | null> {
  const file = source.name;
  let format: CopyFormat | null = null;
  let readLine: ReadLine | null = null;
  let isUnknown = false;
  let isPending = false;
  let line = 0;
  const see = (record: Parameters<Comparison['see']>[0]): void => comparison.see(record, { file, line });
  const onLine: OnLine = (bytes, isWhole) => {
    line++;
    if (isUnknown || (!isPending && isBlank(bytes))) return;
    if (readLine === null) {
      const json = parseJson(bytes);
      format = formats.find(({ recognizes }) => recognizes(bytes, json)) ?? null;
      readLine = format?.makeReader() ?? null;
      isUnknown = readLine === null;
    }
    if (readLine === null) return;
    const result = readLine(bytes, see);
    isPending = result.kind === 'more';
    if (result.kind === 'unreadable')
      tell(isWhole ? { kind: 'unreadable', at: { file, line }, problem: result.problem } : cutAt(file, line));
  };
  try {
    await readLines(source, onLine, onProgress);
  } catch (error) {
    throw new Error(`${file} cannot be read: ${(error as Error).message}`);
  }
  if (isPending) tell(cutAt(file, line));
  if (isUnknown)
    throw new Error(`${file} is in none of these formats: ${formats.map(({ title }) => title).join('; ')}.`);
  return format;
}

function cutAt(file: string, line: number): Finding {
  return { kind: 'cut', at: { file, line } };
}

function isBlank(bytes: Buffer): boolean {
  return bytes.length === 0 || (bytes.length === 1 && bytes[0] === carriageReturn);
}
