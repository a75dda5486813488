/** `metadata` of a manifest: as the API server knows it, so that the output of `kubectl get -o yaml` is a valid file. */
import { z } from 'zod';
import { field } from './field.ts';
import { maxNameLength, maxNamespaceLength, namespacePattern, objectNamePattern } from './names.ts';

const stringMap = () => z.record(z.string(), z.string()).nullish();
const stringMapSchema = 'a map from text to text';
/** The server's own fields: accepted as they are, and not used. */
const serverField = () => z.unknown().optional();

export const metadataSchema = field(
  z.strictObject({
    name: field(z.string().min(1).max(maxNameLength).regex(objectNamePattern), {
      description: 'Name of the export; with the namespace it identifies the stream.',
      expected: `a name of at most ${maxNameLength} lower-case letters, digits, "-" and "."`,
    }),
    namespace: field(z.string().min(1).max(maxNamespaceLength).regex(namespacePattern).optional(), {
      description: 'Namespace; in a directory it is `default` when absent.',
      expected: `a namespace of at most ${maxNamespaceLength} lower-case letters, digits and "-"`,
    }),
    labels: field(stringMap(), { description: 'Labels.', expected: stringMapSchema }),
    annotations: field(stringMap(), {
      description:
        'Annotations; a changed `auditexport.dev/reconcile-at` means "try again now", and `auditexport.dev/take-over` decides about the entries that a former config of this name left undelivered: `true` delivers them, `false` leaves them; `auditexport.dev/replay` sends the entries dated in a range, `FROM/UNTIL`, once more.',
      expected: stringMapSchema,
    }),
    uid: serverField(),
    resourceVersion: serverField(),
    generation: serverField(),
    generateName: serverField(),
    selfLink: serverField(),
    creationTimestamp: serverField(),
    deletionTimestamp: serverField(),
    deletionGracePeriodSeconds: serverField(),
    ownerReferences: serverField(),
    finalizers: serverField(),
    managedFields: serverField(),
  }),
  { description: 'Standard object metadata.', expected: 'a map with at least a name' },
);
