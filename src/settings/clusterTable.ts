/** The rows of the settings table that only CONFIG_SOURCE=kubernetes needs, in the order they are listed to people. */
import type { ClusterSettings } from './clusterSettings.ts';
import { organizationBindings, secretNames } from './clusterValues.ts';
import { type Setting, withDefault } from './setting.ts';
import { oneOf, wholeNumber } from './values.ts';

export const clusterSettingsTable: { readonly [K in keyof ClusterSettings]: Setting<ClusterSettings[K]> } = {
  secretConsent: withDefault('SECRET_CONSENT', 'warn', oneOf(['required', 'warn']), {
    doc: 'Whether a Secret of the cluster has to agree to being sent, by the label auditexport.dev/export: "true" or the annotation auditexport.dev/allowed-hosts: required, or warn: one that says nothing is used, and the status warns. See docs/security.md.',
  }),
  ownSecrets: withDefault('OWN_SECRETS', '', secretNames(), {
    doc: 'The Secrets that the collector itself runs on; no AuditExportConfig can use them, whatever labels they have.',
  }),
  namespaceOrganizations: withDefault('NAMESPACE_ORGANIZATIONS', '{}', organizationBindings(), {
    doc: 'Which organizations the AuditExportConfigs of a namespace may name, as JSON: {"flows": ["acme", "globex-*"], "platform": ["*"]}; "*" as a namespace is for those that are not listed. Empty: any namespace may name any organization.',
  }),
  maxConfigsPerNamespace: withDefault(
    'MAX_CONFIGS_PER_NAMESPACE',
    '1000',
    wholeNumber({ min: 1, max: 100_000 }),
    { doc: 'AuditExportConfigs of one namespace that are used, the oldest first.' },
  ),
  maxSecretsPerNamespace: withDefault(
    'MAX_SECRETS_PER_NAMESPACE',
    '1000',
    wholeNumber({ min: 0, max: 100_000 }),
    {
      doc: 'Different Secrets that the AuditExportConfigs of one namespace may refer to together, the oldest first.',
    },
  ),
  maxSecretsPerConfig: withDefault('MAX_SECRETS_PER_CONFIG', '16', wholeNumber({ min: 0, max: 34 }), {
    doc: 'Different Secrets that one AuditExportConfig may refer to; one Secret can hold many values.',
  }),
};
