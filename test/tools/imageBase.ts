/**
 * Lays out a root file system that stands in for the official image of Node on Alpine, which no registry needs to be
 * asked for: the Node of npm with its libraries from this machine, BusyBox for everything else, npm, and the certificate
 * authorities of this machine. It is glibc, where Alpine is musl.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findDebianProgram } from './debianPackages.ts';
import { findOnPath } from './findOnPath.ts';

const run = promisify(execFile);
const authorities = '/etc/ssl/certs/ca-certificates.crt';
const users = 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n';

/** `folder` must exist. */
export async function layOutBase(folder: string): Promise<void> {
  const inRoot = (path: string) => join(folder, path);
  for (const path of ['bin', 'etc', 'root', 'tmp', 'usr/bin', 'usr/local/bin', 'usr/local/etc', 'home/node'])
    await mkdir(inRoot(path), { recursive: true });
  await addBusybox(folder);
  await cp(process.execPath, inRoot('usr/local/bin/node'));
  for (const library of await librariesOf(process.execPath)) await copyFollowing(library, folder);
  const npm = dirname(dirname(await realpath(findOnPath('npm') ?? '')));
  await cp(npm, inRoot('usr/local/lib/node_modules/npm'), { recursive: true, verbatimSymlinks: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', inRoot('usr/local/bin/npm'));
  await symlink('/bin/env', inRoot('usr/bin/env'));
  await copyFollowing(authorities, folder);
  await writeFile(inRoot('usr/local/etc/npmrc'), `cafile=${authorities}\n`);
  await writeFile(inRoot('etc/passwd'), users);
  await writeFile(inRoot('etc/group'), 'root:x:0:\nnode:x:1000:\n');
  await writeFile(inRoot('etc/nsswitch.conf'), 'hosts: files dns\n');
}

/** A root file system with the shell and tools of BusyBox, and nothing else. */
export async function addBusybox(folder: string): Promise<void> {
  const busybox = findDebianProgram('busybox') ?? '';
  await mkdir(join(folder, 'bin'), { recursive: true });
  await cp(busybox, join(folder, 'bin/busybox'));
  const { stdout } = await run(busybox, ['--list']);
  for (const applet of stdout.trim().split('\n'))
    if (applet !== 'busybox') await symlink('busybox', join(folder, 'bin', applet));
}

/** What the program is linked with, and what glibc loads by itself to resolve names. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program]);
  const linked = [...stdout.matchAll(/(?:=> |^\t)(\/\S+)/gm)].map(([, path = '']) => path);
  const beside = dirname(linked.find((path) => path.includes('libc.so')) ?? '');
  const names = (await readdir(beside)).filter((name) => /^lib(nss_(dns|files)|resolv)\.so\.2$/.test(name));
  return [...new Set([...linked, ...names.map((name) => join(beside, name))])];
}

/** To the same path, as the file that a link leads to. */
async function copyFollowing(path: string, folder: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await cp(await realpath(path), join(folder, path));
}
