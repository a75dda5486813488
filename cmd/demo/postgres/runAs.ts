/**
 * Finds a way to run Postgres, which refuses to run as root. An ordinary user runs it as is; root runs it as another
 * user, who may be unable to walk to a checkout below a private folder such as /root.
 */
import { execFile } from 'node:child_process';
import { chown, stat } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** uid and gid of `nobody` on Linux; also a free number on macOS. */
const NOBODY = 65534;

/** How to start a program as the user Postgres runs as: put `prefix` before the command, pass `ids` to spawn. */
export interface RunAs {
  readonly prefix: readonly string[];
  readonly ids: { readonly uid?: number; readonly gid?: number };
}

/**
 * Chooses the user for `program` and gives them the folder `directory`, which must exist.
 *
 * As root: the owner of the folder or of the program if that is an ordinary user, else nobody. When that user cannot
 * walk to both, setpriv lends the program the one right to pass closed folders (CAP_DAC_OVERRIDE).
 *
 * @throws Error one sentence saying what is out of reach and what to do.
 */
export async function chooseUser(program: string, directory: string): Promise<RunAs> {
  const { uid: directoryOwner } = await stat(directory);
  const uid = process.getuid?.();
  if (uid !== 0) {
    if (uid === undefined || directoryOwner === uid) return { prefix: [], ids: {} };
    throw new Error(
      `The data directory ${directory} belongs to user ${directoryOwner}, not to you (${uid}): delete it to begin anew, or run as its owner.`,
    );
  }
  const owners = await Promise.all([directory, program].map((path) => stat(path)));
  const owner = owners.find((candidate) => candidate.uid !== 0) ?? { uid: NOBODY, gid: NOBODY };
  await chown(directory, owner.uid, owner.gid);

  const direct: RunAs = { prefix: [], ids: { uid: owner.uid, gid: owner.gid } };
  const capability = '+dac_override';
  const lent: RunAs = {
    prefix: [
      ...['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'],
      ...[`--inh-caps=${capability}`, `--ambient-caps=${capability}`, '--'],
    ],
    ids: {},
  };
  for (const candidate of [direct, lent]) {
    if (await reaches(candidate, program, directory)) return candidate;
  }
  throw new Error(
    `Postgres does not run as root, and user ${owner.uid} can reach neither ${program} nor ${directory}: run as an ordinary user, or move the checkout to a folder others can enter.`,
  );
}

async function reaches(as: RunAs, program: string, directory: string): Promise<boolean> {
  const test = ['sh', '-c', 'test -x "$1" && test -w "$2" && cd "$2"', 'sh', program, directory];
  const [command = '', ...args] = [...as.prefix, ...test];
  return run(command, args, { ...as.ids, cwd: '/' }).then(
    () => true,
    () => false,
  );
}
