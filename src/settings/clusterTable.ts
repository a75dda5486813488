/** The rows of the settings table that only CONFIG_SOURCE=kubernetes needs, in the order in which people see them. */
import { z } from 'zod';
import { withDefault } from './setting.ts';
import { oneOf, parsedList, parsedText, type ValueKind, wholeNumber } from './values.ts';

const bindingsSchema = z.record(
  z.string().regex(/^(\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$/),
  z.array(z.string().min(1).max(256)),
);

export const clusterSettingsTable = {
  secretConsent: withDefault('SECRET_CONSENT', 'warn', oneOf(['required', 'warn']), {
    doc: 'Whether a Secret of the cluster must consent to being sent, with the label auditexport.dev/export: "true" or the annotation auditexport.dev/allowed-hosts. required: a Secret without either is refused. warn: it is used, and the status warns. See docs/security.md.',
  }),
  ownSecrets: withDefault('OWN_SECRETS', '', secretNames(), {
    doc: 'The Secrets that the collector itself uses; no AuditExportConfig can use them, whatever their labels.',
  }),
  namespaceOrganizations: withDefault('NAMESPACE_ORGANIZATIONS', '{}', organizationBindings(), {
    doc: 'Which organizations the AuditExportConfigs of a namespace may name, as JSON: {"flows": ["acme", "globex-*"], "platform": ["*"]}; "*" as a namespace stands for every namespace not listed. Empty: any namespace may name any organization.',
  }),
  maxConfigsPerNamespace: withDefault(
    'MAX_CONFIGS_PER_NAMESPACE',
    '1000',
    wholeNumber({ min: 1, max: 100_000 }),
    { doc: 'How many AuditExportConfigs of one namespace are used, oldest first.' },
  ),
  maxSecretsPerNamespace: withDefault(
    'MAX_SECRETS_PER_NAMESPACE',
    '1000',
    wholeNumber({ min: 0, max: 100_000 }),
    {
      doc: 'How many different Secrets the AuditExportConfigs of one namespace may refer to together, oldest first.',
    },
  ),
  maxSecretsPerConfig: withDefault('MAX_SECRETS_PER_CONFIG', '16', wholeNumber({ min: 0, max: 34 }), {
    doc: 'How many different Secrets one AuditExportConfig may refer to; one Secret can hold many values.',
  }),
};

/** `NAMESPACE/NAME`, separated by commas. */
function secretNames(): ValueKind<readonly string[]> {
  const rule =
    'is not a Secret; it must be a comma-separated list such as audit/audit-database,audit/audit-page';
  return parsedList('list of NAMESPACE/NAME', rule, (item) => {
    if (item === '') return [];
    return /^[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}$/.test(item) ? [item] : null;
  });
}

/** A JSON object: namespace → organizations. */
function organizationBindings(): ValueKind<Readonly<Record<string, readonly string[]>>> {
  const rule =
    'it must be a JSON object of lists of organizations by namespace, such as {"flows": ["acme"], "platform": ["*"]}';
  const organizations = { type: 'array', items: { type: 'string', minLength: 1 } };
  const json = { type: 'object', additionalProperties: organizations };
  return parsedText(
    'JSON object',
    rule,
    (text) => bindingsSchema.safeParse(readJson(text)).data ?? null,
    json,
  );
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
