/**
 * Changes single fields in the text of a manifest; comments, order and other documents stay as they are.
 *
 * The result is read again before it is handed out: an alias or an anchor can make one field stand in many places, and
 * such a text is refused rather than half changed.
 */
import { type Document, isMap, isSeq, parseAllDocuments, stringify } from 'yaml';
import { isMap as isPlainMap } from '../../editor/isMap.ts';
import {
  buildSpec,
  compareUnits,
  headerOf,
  isDefault,
  listUnits,
  pathOf,
  type SpecUnits,
  spell,
} from '../../editor/specUnits.ts';
import { parseManifestText } from '../../parseManifestText.ts';
import { API_VERSION, KIND, RECONCILE_AT_ANNOTATION } from '../../schema.ts';

/** A manifest that says just these; what is a default is left out. */
export function renderManifest(name: string, units: SpecUnits): string {
  const said = [...units].filter(([unit, value]) => !isDefault(unit, value));
  return stringify(
    { apiVersion: API_VERSION, kind: KIND, metadata: { name }, spec: buildSpec(said) },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

/** `text` is a valid manifest. null: it cannot be done in this text. */
export function editSpec(text: string, target: SpecUnits): string | null {
  const now = listUnits(readValue(text)?.['spec']);
  const { changed: news, removed } = compareUnits(now, target);
  if (news.length + removed.length === 0) return text;
  const changed = editDocument(text, (document) => changeUnits(document, now, target));
  return changed !== null && isAsWanted(text, changed, target) ? changed : null;
}

/** The same for the annotation that asks for another try. */
export function editReconcileAt(text: string, value: string): string | null {
  const before = readValue(text);
  const changed = editDocument(text, (document) => {
    document.setIn(['metadata', 'annotations', RECONCILE_AT_ANNOTATION], value);
  });
  const after = changed === null ? null : readValue(changed);
  return spell(before?.['spec']) === spell(after?.['spec']) && after !== null ? changed : null;
}

/** Only the document that says something is written anew. */
function editDocument(text: string, edit: (document: Document) => void): string | null {
  const documents = [...parseAllDocuments(text, { stringKeys: true })];
  const index = documents.findIndex((document) => document.contents !== null && document.toJS() !== null);
  const document = documents[index];
  if (document === undefined) return null;
  try {
    edit(document as Document);
    const indentSeq = !/^( *)[\w"'-]+:[ \t]*(?:#.*)?\n\1- /m.test(text);
    const edited = document.toString({
      lineWidth: 0,
      indentSeq,
      flowCollectionPadding: /[[{] /.test(text),
    });
    const [begin, , finish] = document.range ?? [0, 0, text.length];
    // Comments before the first and after the last are the document's, and outside of its range.
    const start = index === 0 ? 0 : begin;
    const end = index === documents.length - 1 ? text.length : finish;
    return text.slice(0, start) + edited + text.slice(end);
  } catch {
    // A path that leads through an alias or a scalar.
    return null;
  }
}

function changeUnits(document: Document, before: SpecUnits, target: SpecUnits): void {
  const { changed, removed } = compareUnits(before, target);
  for (const unit of changed) {
    const header = headerOf(unit);
    const value = target.get(unit);
    if (header !== null) setHeader(document, header, value);
    // A scalar that is there keeps its comment and its quotes.
    else if (typeof value === 'object') document.setIn(specPath(unit), document.createNode(value));
    else document.setIn(specPath(unit), value);
  }
  for (const unit of removed) {
    const header = headerOf(unit);
    if (header === null) document.deleteIn(specPath(unit));
    else document.deleteIn(['spec', 'headers', indexOfHeader(document, header)]);
  }
  for (const name of ['headers', 'tls', 'filter']) {
    const node = document.getIn(['spec', name]);
    if ((isMap(node) || isSeq(node)) && node.items.length === 0) document.deleteIn(['spec', name]);
  }
}

function specPath(unit: string): string[] {
  return ['spec', ...pathOf(unit)];
}

function setHeader(document: Document, name: string, value: unknown): void {
  const index = indexOfHeader(document, name);
  if (index === -1) {
    if (isSeq(document.getIn(['spec', 'headers']))) {
      document.addIn(['spec', 'headers'], document.createNode(value));
    } else document.setIn(['spec', 'headers'], document.createNode([value]));
    return;
  }
  const fields: Record<string, unknown> = isPlainMap(value) ? value : {};
  for (const field of ['value', 'valueFrom']) {
    const path = ['spec', 'headers', index, field];
    if (fields[field] === undefined) document.deleteIn(path);
    else document.setIn(path, document.createNode(fields[field]));
  }
}

/** -1: there is none. */
function indexOfHeader(document: Document, name: string): number {
  const list = document.getIn(['spec', 'headers']);
  if (!isSeq(list)) return -1;
  return list.items.findIndex((_, index) => document.getIn(['spec', 'headers', index, 'name']) === name);
}

function isAsWanted(before: string, after: string, target: SpecUnits): boolean {
  const [was, is] = [readValue(before), readValue(after)];
  if (was === null || is === null) return false;
  const { changed, removed } = compareUnits(listUnits(is['spec']), target);
  const isRestSame = spell({ ...was, spec: null }) === spell({ ...is, spec: null });
  return changed.length + removed.length === 0 && isRestSame;
}

function readValue(text: string): Record<string, unknown> | null {
  const parsed = parseManifestText(text, 'the file');
  return parsed.ok && isPlainMap(parsed.value) ? parsed.value : null;
}
