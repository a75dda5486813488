/**
 * Changes single fields in the text of a manifest; comments, order and other documents stay as they are.
 *
 * The result is read again before it is handed out: an alias or an anchor can make one field stand in many places, and
 * such a text is refused rather than half changed.
 */
import { type Document, isMap, isSeq, parseAllDocuments, stringify } from 'yaml';
import { isMap as isPlainMap } from '../../../basics/isMap.ts';
import { spell } from '../../../basics/spell.ts';
import {
  buildSpec,
  compareUnits,
  headerOf,
  isDefault,
  listUnits,
  pathOf,
  type SpecUnits,
} from '../../editor/specUnits.ts';
import { parseManifestText } from '../../parseManifestText.ts';
import {
  configApiVersion,
  configKind,
  reconcileAtAnnotation,
  typedEndpointAnnotation,
} from '../../schema.ts';

/** A manifest that says just these; what is a default is left out. `typedOrigin`: of the endpoint; null: not typed here. */
export function renderManifest(name: string, units: SpecUnits, typedOrigin: string | null = null): string {
  const annotations = typedOrigin === null ? {} : { annotations: { [typedEndpointAnnotation]: typedOrigin } };
  const said = [...units].filter(([unit, value]) => !isDefault(unit, value));
  return stringify(
    {
      apiVersion: configApiVersion,
      kind: configKind,
      metadata: { name, ...annotations },
      spec: buildSpec(said),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

/**
 * `text` is a valid manifest. `typedOrigin`: of an endpoint that is typed on the page with this change; null: it stays.
 * null comes back when it cannot be done in this text.
 */
export function editSpec(text: string, target: SpecUnits, typedOrigin: string | null = null): string | null {
  const now = listUnits(readValue(text)?.['spec']);
  const { changed: news, removed } = compareUnits(now, target);
  if (news.length + removed.length === 0) return text;
  const changed = editDocument(text, (document) => {
    changeUnits(document, now, target);
    if (typedOrigin !== null) setAnnotation(document, typedEndpointAnnotation, typedOrigin);
  });
  return changed !== null && isAsWanted(text, changed, target, typedOrigin) ? changed : null;
}

/** The same for the annotation that asks for another try. */
export function editReconcileAt(text: string, value: string): string | null {
  const before = readValue(text);
  const changed = editDocument(text, (document) => {
    setAnnotation(document, reconcileAtAnnotation, value);
  });
  const after = changed === null ? null : readValue(changed);
  return spell(before?.['spec']) === spell(after?.['spec']) && after !== null ? changed : null;
}

function setAnnotation(document: Document, name: string, value: string): void {
  document.setIn(['metadata', 'annotations', name], value);
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

function isAsWanted(before: string, after: string, target: SpecUnits, typedOrigin: string | null): boolean {
  const [was, is] = [readValue(before), readValue(after)];
  if (was === null || is === null) return false;
  const { changed, removed } = compareUnits(listUnits(is['spec']), target);
  const isRestSame = spell(restOf(was, typedOrigin)) === spell(restOf(is, null));
  return changed.length + removed.length === 0 && isRestSame;
}

/** Everything but the spec, with the annotation that is to come. */
function restOf(manifest: Record<string, unknown>, typedOrigin: string | null): Record<string, unknown> {
  const rest = { ...manifest, spec: null };
  if (typedOrigin === null) return rest;
  const metadata = isPlainMap(manifest['metadata']) ? manifest['metadata'] : {};
  const annotations = isPlainMap(metadata['annotations']) ? metadata['annotations'] : {};
  return {
    ...rest,
    metadata: { ...metadata, annotations: { ...annotations, [typedEndpointAnnotation]: typedOrigin } },
  };
}

function readValue(text: string): Record<string, unknown> | null {
  const parsed = parseManifestText(text, 'the file');
  return parsed.ok && isPlainMap(parsed.value) ? parsed.value : null;
}
