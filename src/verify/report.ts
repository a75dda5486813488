/** What `verify` says: sentences for people, or a line of JSON for each finding and a summary at the end. */
import type { Checkpoint } from '../ledger/checkpoint.ts';
import type { NoteVerifier } from '../ledger/note.ts';
import type { Excuse, Totals } from './comparison.ts';
import { count, describeFinding, type Finding, isWrong } from './findings.ts';

/** Exit codes: a contract with scripts. */
export const exitCodes = {
  /** Every sealed entry is here as it was sealed, and nothing else. */
  proven: 0,
  /** Something is wrong. */
  wrong: 1,
  /** The command line is wrong, or a file or the ledger cannot be read: nothing is said about the entries. */
  notRun: 2,
  /** Nothing is wrong, but the copy cannot show everything: its format loses contents, or a filter left entries out. Or the ledger itself cannot. */
  partly: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export interface Ledger {
  readonly checkpoint: Checkpoint;
  /** None: it is not signed, and that was asked for. */
  readonly signers: readonly NoteVerifier[];
}

export interface Verdict {
  readonly exitCode: ExitCode;
  readonly sentences: readonly string[];
}

/** @param wrong how many findings say that something is wrong. */
export function judge(
  { checkpoint: { size }, signers }: Ledger,
  totals: Totals,
  wrong: number,
  { isFiltered, mayBeFiltered }: { readonly isFiltered: boolean; readonly mayBeFiltered: boolean },
): Verdict {
  const sentences = describeTotals(totals, size);
  const isPart = isFiltered && totals.missing > 0;
  const { excluded = 0, 'before-start': before = 0, pending = 0, parked = 0 } = totals.excused;
  const letGo = totals.letGo + totals.letGoUntold;
  const unsent = excluded + before + pending + parked;
  const which = [
    ...(letGo > 0 ? ['retention has not let go of'] : []),
    ...(unsent > 0 ? ['was to be here'] : []),
  ].join(' and that ');
  const expected = `${count(size - letGo - unsent)} sealed entries${which && ` that ${which}`}`;
  const isUnsigned = signers.length === 0;
  if (wrong > 0) {
    const hint =
      totals.missing > 0 && mayBeFiltered && !isFiltered
        ? ' If a filter of the export leaves entries out, --filtered says so; only the table can tell which.'
        : '';
    return {
      exitCode: exitCodes.wrong,
      sentences: [
        ...sentences,
        `Not proven: ${count(wrong)} ${wrong === 1 ? 'finding' : 'findings'}.${hint}`,
      ],
    };
  }
  if (
    totals.withoutContents + totals.sealedUnread > 0 ||
    isPart ||
    isUnsigned ||
    parked > 0 ||
    totals.letGoUntold > 0
  ) {
    const contents =
      totals.withoutContents > 0
        ? `The contents of ${count(totals.withoutContents)} records cannot be checked: this format does not keep them as they were.`
        : totals.sealedUnread > 0
          ? 'Every other record here is as it was sealed.'
          : 'Every record here is as it was sealed.';
    const part = isPart
      ? 'Only the table can tell whether the filter leaves out exactly the others.'
      : `Each of the ${expected} is here.`;
    const unsigned = isUnsigned
      ? ' The ledger is not signed: who can change the entries can have changed it as well.'
      : '';
    return {
      exitCode: exitCodes.partly,
      sentences: [...sentences, `Proven in part. ${contents} ${part}${unsigned}`],
    };
  }
  return {
    exitCode: exitCodes.proven,
    sentences: [
      ...sentences,
      `Proven: each of the ${expected} is here as it was sealed, and nothing else is.`,
    ],
  };
}

const excuseWords: Readonly<Record<Excuse, string>> = {
  excluded: 'the filter of the export left them out',
  'before-start': 'the export began after them',
  pending: 'they were not sent yet when the copy was taken',
  parked: 'the receiver refused them, and they are parked',
};

function describeTotals(totals: Totals, size: number): string[] {
  const { records, repeats, testRecords, missing, letGo, letGoUntold, newer, streams, sealedUnread } = totals;
  const extra = [
    ...(repeats > 0 ? [`${count(repeats)} of them repeat an entry`] : []),
    ...(testRecords > 0 ? [`${count(testRecords)} test records were left out`] : []),
  ];
  return [
    `${count(records)} records were read${extra.map((text) => `; ${text}`).join('')}.`,
    ...streams.map(({ stream, last, gaps }) =>
      gaps.length === 0
        ? `Stream ${stream}: the sequence 1…${count(last)} has no gap.`
        : `Stream ${stream}: the sequence 1…${count(last)} has ${count(gaps.length)} ${gaps.length === 1 ? 'gap' : 'gaps'}.`,
    ),
    ...(missing > 0 ? [`${count(missing)} of ${count(size)} sealed entries are not here.`] : []),
    ...Object.entries(totals.excused).map(
      ([excuse, entries]) =>
        `${count(entries)} of ${count(size)} sealed entries are not here: ${excuseWords[excuse as Excuse]}, as the database says.`,
    ),
    ...(sealedUnread > 0
      ? [
          `${count(sealedUnread)} of ${count(size)} sealed entries could not be read when they were sealed: nothing proves their contents.`,
        ]
      : []),
    ...(newer > 0
      ? [`${count(newer)} records are of entries newer than the checkpoint, and not judged.`]
      : []),
    ...(letGo > 0
      ? [
          `${count(letGo)} of ${count(size)} sealed entries were let go by retention, as a sealed entry (audit_log.entries_expired) says.`,
        ]
      : []),
    ...(letGoUntold > 0
      ? [
          `${count(letGoUntold)} of ${count(size)} sealed entries were let go by retention, as only the database says: the next entry audit_log.entries_expired, at most a day later, must name them.`,
        ]
      : []),
  ];
}

export interface Report {
  ledger(ledger: Ledger): void;
  copy(file: string, format: string): void;
  /** What a reader must know, and is no finding. */
  note(sentence: string): void;
  finding(finding: Finding): void;
  end(verdict: Verdict, totals: Totals): void;
  /** Nobody may trust the ledger. */
  refused(problem: string): void;
}

export function textReport(write: (line: string) => void): Report {
  return {
    ledger: ({ checkpoint, signers }) =>
      write(
        `Ledger ${checkpoint.origin}: ${count(checkpoint.size)} sealed entries, ${signers.length === 0 ? 'not signed' : `signed by ${signers.map(({ name, id }) => `${name}+${id}`).join(' and ')}`}.`,
      ),
    note: (sentence) => write(sentence),
    copy: (file, format) => write(`${file}: ${format}.`),
    finding: (finding) => write(describeFinding(finding)),
    end: ({ sentences }) => {
      for (const sentence of sentences) write(sentence);
    },
    refused: (problem) => write(problem),
  };
}

export function jsonReport(write: (line: string) => void): Report {
  let last: Ledger | null = null;
  const copies: Array<{ file: string; format: string }> = [];
  const notes: string[] = [];
  return {
    ledger: (ledger) => {
      last = ledger;
    },
    copy: (file, format) => {
      copies.push({ file, format });
    },
    note: (sentence) => {
      notes.push(sentence);
    },
    finding: (finding) => write(JSON.stringify({ ...finding, isWrong: isWrong(finding.kind) })),
    end: ({ exitCode, sentences }, totals) =>
      write(
        JSON.stringify({
          kind: 'summary',
          exitCode,
          message: sentences.at(-1),
          origin: last?.checkpoint.origin,
          size: last?.checkpoint.size,
          root: Buffer.from(last?.checkpoint.root ?? []).toString('base64'),
          signers: last?.signers.map(({ name, id }) => `${name}+${id}`),
          copies,
          notes,
          ...totals,
        }),
      ),
    refused: (problem) =>
      write(JSON.stringify({ kind: 'summary', exitCode: exitCodes.wrong, message: problem })),
  };
}
