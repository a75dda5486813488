/** Real programs that come as Debian packages. */
import { findExecutable, findOnPath } from './findOnPath.ts';

/** The program's path; Debian keeps servers, and plugins of networks, where an ordinary user's PATH does not look. */
export function findDebianProgram(name: string): string | undefined {
  return findOnPath(name) ?? findExecutable(name, ['/usr/sbin', '/usr/local/sbin', '/usr/lib/cni']);
}

/**
 * Whether a suite must be skipped for want of these programs, for `describe.skipIf`; says so on the console.
 *
 * @throws Error when the variable CI is set: there, a suite that is skipped is a failure.
 */
export function arePackagesMissing(suite: string, programs: Readonly<Record<string, string>>): boolean {
  const missing = Object.entries(programs).filter(([program]) => findDebianProgram(program) === undefined);
  if (missing.length === 0) return false;
  const why = `${missing.map(([program]) => program).join(' and ')} not found: run "apt-get install ${missing.map(([, name]) => name).join(' ')}", as .ci/install-packages does.`;
  return skip(suite, why);
}

/** The same for a suite that needs the rights of root on Linux. */
export function isRootMissing(suite: string): boolean {
  if (process.platform === 'linux' && process.getuid?.() === 0) return false;
  return skip(suite, 'It needs root on Linux: run the tests as root, in a container or a virtual machine.');
}

/** Says on the console that a suite is skipped. @throws Error when the variable CI is set. */
export function skip(suite: string, why: string): true {
  if (process.env['CI']) throw new Error(`${suite}: ${why}`);
  console.warn(`SKIPPED: ${suite}. ${why}`);
  return true;
}
