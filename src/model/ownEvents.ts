/** Entries that the product's own parts write about themselves. */

/**
 * Globs of their types: what the collector and its page do (`audit_export.*`, `audit_logs.*`), and what retention and the ledger say
 * (`audit_log.*`; the signed root is to be in every receiver's copy). They pass every filter.
 */
export const ownEventTypes: readonly string[] = ['audit_export.*', 'audit_logs.*', 'audit_log.*'];

/** Those that passed when a window's filter said only that they do. */
export const formerOwnEventTypes: readonly string[] = ['audit_export.*', 'audit_logs.*'];
