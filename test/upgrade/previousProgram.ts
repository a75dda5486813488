/**
 * The program as it was before, out of the repository's history: the newest release that is older than this commit.
 * While there is none: the last commit whose schema was migration 0001 alone.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runToEnd } from './runToEnd.ts';

export interface PreviousProgram {
  /** With its dependencies: `node cmd/collector.ts` works there. */
  readonly folder: string;
  remove(): Promise<void>;
}

const repository = join(import.meta.dirname, '..', '..');

/** Whether there is no history to take it from, not even after fetching it; for `describe.skipIf`, and says so. */
export function isPreviousMissing(): boolean {
  if (findPrevious() !== null) return false;
  if (ask('rev-parse', '--is-shallow-repository') === 'true')
    ask('fetch', '--unshallow', '--tags', '--quiet');
  if (findPrevious() !== null) return false;
  process.stderr.write(
    'SKIPPED: the tests of upgrades. The program before this one needs git and the whole history of the repository (a deep clone).\n',
  );
  return true;
}

export async function layOutPrevious(): Promise<PreviousProgram> {
  const commit = findPrevious();
  if (commit === null) throw new Error('Ask isPreviousMissing() first.');
  const folder = await mkdtemp(join(tmpdir(), 'audit-export-previous-'));
  const archive = spawn('git', ['archive', commit], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const tar = spawn('tar', ['-x', '-C', folder], { stdio: ['pipe', 'inherit', 'inherit'] });
  archive.stdout.pipe(tar.stdin);
  const [code] = await once(tar, 'close');
  if (code !== 0) throw new Error(`git archive ${commit} could not be unpacked.`);
  const lockOf = (at: string) => readFile(join(at, 'package-lock.json'), 'utf8');
  if ((await lockOf(folder)) === (await lockOf(repository))) {
    await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
  } else {
    const install = ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
    const { code: installed, output } = await runToEnd('npm', install, { cwd: folder });
    if (installed !== 0) throw new Error(`npm ci of ${commit} failed: ${output}`);
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** null: no git, or not enough of its history. */
function findPrevious(): string | null {
  const release = ask('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*', 'HEAD^');
  if (release !== '') return release;
  const file = 'src/database/migrations/0002_page.sql';
  const added = ask('log', '--diff-filter=A', '--format=%H', '-1', '--', file);
  return ask('rev-parse', '--verify', '--quiet', `${added}^`) || null;
}

/** What git says; empty when it fails or is not there. */
function ask(...args: string[]): string {
  try {
    return execFileSync('git', args, {
      cwd: repository,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
    }).trim();
  } catch {
    return '';
  }
}
