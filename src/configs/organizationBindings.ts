/** Which organizations the AuditExportConfigs of a namespace may name. */

/**
 * Keyed by namespace; `*` is for namespaces without a key of their own. Organizations are compared exactly, except that `*`
 * stands for any characters. Empty: any namespace may name any organization.
 */
export type OrganizationBindings = Readonly<Record<string, readonly string[]>>;

/** null: it may be named there; otherwise one sentence. */
export function findBindingProblem(
  bindings: OrganizationBindings,
  namespace: string,
  organization: string,
): string | null {
  if (Object.keys(bindings).length === 0) return null;
  const allowed = Object.hasOwn(bindings, namespace) ? bindings[namespace] : bindings['*'];
  if (allowed?.some((pattern) => fits(pattern, organization))) return null;
  return `spec.organization is ${JSON.stringify(organization)}, which namespace ${namespace} may not export: use a namespace that may, or have the organization added to NAMESPACE_ORGANIZATIONS of the collector.`;
}

/** Without a regular expression: nothing that is typed can make it slow. */
function fits(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === text;
  const last = rest.pop() ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
