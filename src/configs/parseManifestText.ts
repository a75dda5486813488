/**
 * Turns the text of one YAML file into a manifest. The YAML library's own messages are not passed on: some quote the
 * source, which may hold the value of a header.
 */
import { LineCounter, parseAllDocuments } from 'yaml';
import { type ParsedManifest, parseManifest } from './parseManifest.ts';
import { describeYamlCode } from './problems/describeYamlCode.ts';

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
    return refuse(`${fileName}, line ${line}, column ${col}: ${describeYamlCode(fault.code)}.`);
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
