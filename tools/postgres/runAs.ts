/**
 * Finds a way to run Postgres, which refuses to run as root. An ordinary user runs it directly; root runs it as another
 * user, who may not be able to reach a checkout below a private folder such as /root.
 */
import { execFile } from 'node:child_process';
import { chown, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { postgresEnvironment } from './environment.ts';

const run = promisify(execFile);

/** uid and gid of `nobody` on Linux; also an unused number on macOS. */
const nobody = 65534;

/** How to start a program as the user Postgres runs as: put `prefix` before the command, pass `ids` to spawn. */
export interface RunAs {
  readonly prefix: readonly string[];
  readonly ids: { readonly uid?: number; readonly gid?: number };
}

/**
 * Chooses the user, and gives them the folder `directory`, which must exist.
 *
 * As root it chooses the owner of the folder or of the programs if that is an ordinary user, or else nobody. If that user cannot
 * reach both, setpriv gives them the one right to pass closed folders.
 *
 * @throws Error one sentence saying what cannot be reached and what to do.
 */
export async function chooseUser(initdb: string, directory: string): Promise<RunAs> {
  const { uid: directoryOwner } = await stat(directory);
  const uid = process.getuid?.();
  if (uid !== 0) {
    if (uid === undefined || directoryOwner === uid) return { prefix: [], ids: {} };
    throw new Error(
      `The data directory ${directory} belongs to user ${directoryOwner}, not to you (${uid}): delete it to start over, or run as its owner.`,
    );
  }
  const owners = await Promise.all([directory, initdb].map((path) => stat(path)));
  const user = owners.find((owner) => owner.uid !== 0) ?? { uid: nobody, gid: nobody };
  await chown(directory, user.uid, user.gid);
  for (const candidate of [switched(user), withPassage(user)]) {
    if (await reaches(candidate, initdb, directory)) return candidate;
  }
  throw new Error(
    `Postgres does not run as root, and user ${user.uid} cannot reach both ${initdb} and ${directory}: run as an ordinary user, or move the checkout to a folder that others can enter.`,
  );
}

function switched({ uid, gid }: { uid: number; gid: number }): RunAs {
  return { prefix: [], ids: { uid, gid } };
}

/**
 * CAP_DAC_OVERRIDE and no other capability. The secure bit lets access(2) see it too (capabilities(7),
 * SECBIT_NO_SETUID_FIXUP): initdb uses it to check that the server program exists.
 */
function withPassage({ uid, gid }: { uid: number; gid: number }): RunAs {
  const user = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const passage = [
    '--securebits=+no_setuid_fixup',
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
  ];
  return { prefix: ['setpriv', ...user, ...passage, '--'], ids: {} };
}

/** `initdb --show` checks the files of its installation, and changes nothing. */
async function reaches(as: RunAs, initdb: string, directory: string): Promise<boolean> {
  const script = '"$1" --show -D "$2" && test -w "$2" && cd "$2"';
  const [command = '', ...args] = [...as.prefix, 'sh', '-c', script, 'sh', initdb, directory];
  return run(command, args, { ...as.ids, cwd: '/', env: postgresEnvironment() }).then(
    () => true,
    () => false,
  );
}
