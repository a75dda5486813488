/** Variables by which other programs are told of a proxy. Deliveries go to the receivers directly, so they are named at start. */
const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'];

/** Those that are set, as they are written. */
export function findProxyVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(env).filter((name) => names.includes(name.toUpperCase()) && env[name] !== '');
}
