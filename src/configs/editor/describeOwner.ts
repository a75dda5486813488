/** Why a field cannot be changed on the page: another manager has set it. */

/** `field` is a path of the manifest; an empty `manager` has no known name. */
export function describeOwner(field: string, manager: string): string {
  const name = manager === '' ? 'another manager' : toFriendlyName(manager);
  return `${field} is managed by ${name}: change it there, or remove it from what ${name} applies.`;
}

/** `kubectl` for all of its ways to write. */
export function toFriendlyName(manager: string): string {
  return manager.startsWith('kubectl') ? 'kubectl' : manager;
}
