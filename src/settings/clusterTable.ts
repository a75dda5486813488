/** The rows of the settings table that only CONFIG_SOURCE=kubernetes needs, in the order in which people see them. */
import { organizationBindings, secretNames } from './clusterValues.ts';
import { withDefault } from './setting.ts';
import { oneOf, wholeNumber } from './values.ts';

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
