/** The rows of the settings table that only CONFIG_SOURCE=kubernetes needs, in the order in which people see them. */
import { z } from 'zod';
import { withDefault } from './setting.ts';
import { oneOf, parsedList, parsedText, type ValueKind, wholeNumber } from './values.ts';

const bindingsSchema = z.record(
  z.string().regex(/^(\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$/),
  z.array(z.string().min(1).max(256)),
);

export const clusterSettingsTable = {
  watchLabels: withDefault('WATCH_LABELS', '', labels(), {
    doc: 'The labels that an AuditExportConfig must have to be used, such as auditexport.dev/cell=eu-1; several must all match. The page gives them to what it adds. Empty: every one is used. See docs/scaling.md.',
  }),
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

/** `KEY=VALUE`, separated by commas, as a label selector of Kubernetes that compares for equality. */
function labels(): ValueKind<readonly (readonly [key: string, value: string])[]> {
  const rule =
    'is not a label; it must be a comma-separated list such as auditexport.dev/cell=eu-1,tier=gold';
  const name = '[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?';
  const pattern = new RegExp(`^((?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?${name})=(${name})$`);
  return parsedList('list of KEY=VALUE', rule, (item) => {
    if (item === '') return [];
    const [, key, value] = pattern.exec(item) ?? [];
    return key === undefined || value === undefined ? null : [[key, value] as const];
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
