/**
 * The page's CSV. It writes null and the empty text alike, and an apostrophe before what a spreadsheet would take for a formula, so a row can
 * stand for several entries: it is as sealed when one of them is.
 */
import type { CopyRecord } from '../copyRecord.ts';
import { readLetGoNote } from '../letGo.ts';
import { type CopyFormat, unreadable, wasRead } from './format.ts';
import { type EntryTexts, hasFingerprint } from './sealedFields.ts';

/** The columns that are sealed. Those that the page adds behind them are its own words about the entry, and are not judged. */
const header = 'id,uid,occurred_at,event_type,actor_id,actor_name,session_type,project,metadata';
const sealedColumns = header.split(',').length;
/** A row that stands for more is not tried: its contents count as not shown. */
const maxMeanings = 256;

export const pageCsv: CopyFormat = {
  name: 'page-csv',
  title: "the page's CSV",
  recognizes: (line) => isHeader(line.toString()),
  makeReader: () => {
    let pending = '';
    let columns = 0;
    return (line, see) => {
      const text = pending + line.toString();
      if ((text.split('"').length - 1) % 2 === 1) {
        pending = `${text}\n`;
        return { kind: 'more' };
      }
      pending = '';
      if (columns === 0 && isHeader(text)) {
        columns = text.split(',').length;
        return wasRead;
      }
      const cells = cellsOf(text.endsWith('\r') ? text.slice(0, -1) : text);
      if (cells === null) return unreadable('it has text behind the closing quote of a cell.');
      if (cells.length !== columns) return unreadable(`it has ${cells.length} cells instead of ${columns}.`);
      see(toCopyRecord(cells.slice(0, sealedColumns)));
      return wasRead;
    };
  },
};

/** It may begin with a byte order mark. */
function isHeader(line: string): boolean {
  const names = line.replace(/^\uFEFF/, '').trimEnd();
  if (names !== header && !names.startsWith(`${header},`)) return false;
  // A column twice would be read by its last place elsewhere.
  return new Set(names.split(',')).size === names.split(',').length;
}

/** null: some of the row is in no cell. */
function cellsOf(row: string): string[] | null {
  const cells = [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)];
  if (cells.reduce((length, [cell]) => length + cell.length, 0) !== row.length) return null;
  return cells.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}

function toCopyRecord(cells: readonly string[]): CopyRecord {
  const [id = '', uid = '', occurredAt = '', ...texts] = cells;
  const [eventType = [], actorId = [], actorName = [], sessionType = [], project = [], metadata = []] =
    texts.map(meaningsOf);
  const meanings = [eventType, orNull(actorId), orNull(actorName), sessionType, orNull(project), metadata];
  const isLeftOut = cells.some((cell) => /\[(?:cut|left out): too large.*\]$/.test(cell));
  const isShown = !isLeftOut && meanings.reduce((product, { length }) => product * length, 1) <= maxMeanings;
  const plainId = id.replace(/^'/, '');
  return {
    uid,
    entryId: plainId,
    place: null,
    isTest: false,
    matches: !isShown
      ? null
      : (fingerprint) =>
          combine(meanings).some(([type, actor, name, session, part, json]) =>
            hasFingerprint(
              {
                id: plainId,
                uid,
                occurredAt,
                eventType: type ?? '',
                actorId: actor ?? null,
                actorName: name ?? null,
                sessionType: session ?? '',
                project: part ?? null,
                metadata: Buffer.from(json ?? ''),
              } satisfies EntryTexts,
              fingerprint,
            ),
          ),
    letGo: readLetGoNote(eventType[0] ?? '', () => metadata[0] ?? ''),
  };
}

function orNull(meanings: readonly string[]): ReadonlyArray<string | null> {
  return meanings.includes('') ? [null, ...meanings] : meanings;
}

function combine(lists: ReadonlyArray<ReadonlyArray<string | null>>): Array<Array<string | null>> {
  return lists.reduce<Array<Array<string | null>>>(
    (rows, list) => rows.flatMap((row) => list.map((value) => [...row, value])),
    [[]],
  );
}

/** An apostrophe that the page may have put there: see `src/web/format/csv.ts`. */
const guard = /'(?<=(?:^|[;\t\r\n][ \u00a0"]*)')(?=[=+\-@\t\r\n＝＋－＠])/g;

/** The texts that the page writes as this cell: each possible guard was there before, or is the page's. */
function meaningsOf(cell: string): string[] {
  const guards = [...cell.matchAll(guard)].map(({ index }) => index);
  if (guards.length > 8) return Array(maxMeanings + 1).fill(cell);
  let texts = [cell];
  // From the right, so that the places further left stay where they are.
  for (const at of guards.toReversed())
    texts = texts.flatMap((text) => [text.slice(0, at) + text.slice(at + 1), text]);
  return texts;
}
