/**
 * Turns the text of one YAML file into a manifest. The YAML library's own messages are not passed on: some quote the
 * source, which may hold the value of a header.
 */

import { type ErrorCode, LineCounter, parseAllDocuments } from 'yaml';
import { type ParsedManifest, parseManifest } from './parseManifest.ts';

export type ParsedManifestText = ParsedManifest & {
  /** What the text says, valid or not; undefined when it cannot be read. May hold a header's value. */
  readonly value: unknown;
};

/** Refuses billion-laughs documents; a manifest hardly needs one alias. */
const maxAliases = 100;

/** `fileName` is the subject of sentences about the file as a whole. Never throws. */
export function parseManifestText(text: string, fileName: string): ParsedManifestText {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  // A warning is an unknown tag or directive: what it was meant to do would silently not be done.
  for (const fault of [...documents].flatMap((document) => [...document.errors, ...document.warnings])) {
    const { line, col } = lines.linePos(fault.pos[0]);
    return refuse(
      `${fileName}, line ${line}, column ${col}: ${yamlProblems[fault.code] ?? 'this is not valid YAML: correct the lines around it'}.`,
    );
  }
  let values: unknown[];
  try {
    values = [...documents].map((document) => document.toJS({ maxAliasCount: maxAliases }));
  } catch {
    return refuse(`${fileName} has a "*" alias without its "&" anchor, or too many: write the values out.`);
  }
  // `---` at either end makes an empty document.
  const filled = values.filter((value) => value !== null && value !== undefined);
  if (filled.length === 0) {
    return refuse(`${fileName} is empty: write an AuditExportConfig into it, or delete it.`);
  }
  if (filled.length > 1) {
    return refuse(
      `${fileName} has ${filled.length} documents: put each AuditExportConfig into a file of its own.`,
    );
  }
  const value = filled[0];
  return { ...parseManifest(value), value };
}

function refuse(problem: string): ParsedManifestText {
  return { ok: false, problems: [problem], value: undefined };
}

/** What a person did and can do about each kind of YAML error; completes "acme.yaml, line 3, column 7: …". */
const yamlProblems: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: 'a "*" begins an alias here: put the text in quotes',
  BAD_DIRECTIVE: 'this "%" directive is not known: remove the line',
  BAD_DQ_ESCAPE: 'this "\\" escape is not known: double the backslash, or use single quotes',
  BAD_INDENT: 'the indentation does not fit the lines around it: line it up with its neighbours',
  BAD_SCALAR_START: 'text cannot begin with this character: put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " on the line: put the text in quotes, or begin a new line',
  BLOCK_IN_FLOW: 'a "{" or "[" is still open here: close it first',
  DUPLICATE_KEY: 'this field is written twice: keep one of them',
  MISSING_CHAR: 'something is missing here, such as a ":", a closing quote, "]" or "}": add it',
  MULTILINE_IMPLICIT_KEY: 'a ":" is missing on the line before, or a quote is not closed: add it',
  NON_STRING_KEY: 'the name of a field must be text: put it in quotes',
  TAB_AS_INDENT: 'a tab cannot indent: use spaces',
  TAG_RESOLVE_FAILED: 'this "!" tag is not known: remove it, or put the text in quotes',
  UNEXPECTED_TOKEN: 'this is not expected here: put the text in quotes, or correct the lines around it',
};
