/** Names and addresses that never leave this machine. */

/**
 * `localhost`, what ends with `.localhost` (RFC 6761, section 6.3), 127.0.0.0/8 and ::1, with or without brackets. Only
 * the name decides: a name that DNS resolves to 127.0.0.1 may belong to the page of another server (DNS rebinding).
 */
export function isLoopbackName(host: string): boolean {
  const name = host.toLowerCase();
  return (
    /^(?:.+\.)?localhost$/.test(name) ||
    /^127(?:\.\d{1,3}){3}$/.test(name) ||
    name === '::1' ||
    name === '[::1]'
  );
}

/** The addresses that only this machine can reach, in CIDR notation. */
export const loopbackRanges: readonly string[] = ['127.0.0.0/8', '::1/128'];
