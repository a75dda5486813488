/** `npm run bench`: runs the benchmarks one after the other and prints a table. */
import { mkdir } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { parseCommandLine } from '../src/settings/command.ts';
import { programVersion } from '../src/settings/version.ts';
import { benchCollector } from './collector.ts';
import { benchEncoder } from './encoder.ts';
import { benchExport } from './export.ts';
import { benchIdle } from './idle.ts';
import { benchInserts } from './inserts.ts';
import { benchLatency } from './latency.ts';
import { benchLedger } from './ledger.ts';
import { benchMemory } from './memory.ts';
import { benchOrganizations } from './organizations.ts';
import { benchPage } from './page.ts';
import { benchPageInserts } from './pageInserts.ts';
import { benchPoll } from './poll.ts';
import { benchPoller } from './poller.ts';
import { benchRetention } from './retention.ts';
import { type Bench, postgresSettings, withBench } from './tools/bench.ts';
import { loadSample } from './tools/entries.ts';
import type { Figure } from './tools/figure.ts';
import { type Result, renderTable } from './tools/table.ts';

const benchmarks: Readonly<Record<string, (bench: Bench) => Promise<Figure[]>>> = {
  encoder: benchEncoder,
  export: benchExport,
  poller: benchPoller,
  collector: benchCollector,
  latency: benchLatency,
  memory: benchMemory,
  idle: benchIdle,
  poll: benchPoll,
  organizations: benchOrganizations,
  inserts: benchInserts,
  page: benchPage,
  'page-inserts': benchPageInserts,
  retention: benchRetention,
  ledger: benchLedger,
};

const names = Object.keys(benchmarks).join(', ');
const line = parseCommandLine(process.argv.slice(2), {
  name: 'node bench/run.ts',
  summary: `Runs the benchmarks (about three quarters of an hour) and prints their figures beside the goals: ${names}. Exits with 1 when one could not run; a missed goal is only said.`,
  version: programVersion,
  options: {
    only: { valueName: 'NAMES', doc: 'Run these alone, comma-separated.' },
    entries: {
      valueName: 'COUNT',
      doc: 'Entries that the benchmark of the page makes; default 10000000, for which 10 GB of disk are needed. That of inserts makes none unless it is given.',
    },
    quick: { doc: 'Small sizes and single runs, to see that everything works; its figures mean nothing.' },
    profile: {
      valueName: 'DIRECTORY',
      doc: 'Run exporting collectors with --cpu-prof and keep the profiles there (they open in Chrome DevTools).',
    },
  },
});
if (line.kind === 'print') process.stdout.write(line.text);
else if (line.kind === 'wrong') fail(line.problem);
else await run(line.values);

function fail(problem: string): void {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 2;
}

async function run(options: ReadonlyMap<string, string | true>): Promise<void> {
  const chosen = String(options.get('only') ?? names).split(/, */);
  const unknown = chosen.find((name) => !Object.hasOwn(benchmarks, name));
  if (unknown !== undefined) return fail(`There is no benchmark "${unknown}": choose from ${names}.`);
  const profile = options.get('profile');
  const profileDirectory = typeof profile === 'string' ? resolve(profile) : null;
  if (profileDirectory !== null) await mkdir(profileDirectory, { recursive: true });
  const quick = options.has('quick');
  const pageEntries = options.has('entries') ? Number(options.get('entries')) : null;
  if (pageEntries !== null && !(Number.isSafeInteger(pageEntries) && pageEntries > 0))
    return fail(`--entries ${options.get('entries')} is not a count: give a whole number such as 1000000.`);
  const log = (text: string) => process.stderr.write(`${text}\n`);

  const results = await withBench({ quick, profileDirectory, pageEntries, log }, async (bench) => {
    const all: Result[] = [];
    for (const name of chosen) {
      log(`== ${name}`);
      const results = await runOne(name, { ...bench, log: (text) => log(`   ${text}`) });
      for (const result of results) log(renderTable([result]));
      all.push(...results);
    }
    return all;
  });
  process.stdout.write(`${describeMachine(quick)}\n\n${renderTable(results)}\n`);
  if (results.some((result) => result.kind === 'failed')) process.exitCode = 1;
}

async function runOne(name: string, bench: Bench): Promise<Result[]> {
  try {
    const figures = await benchmarks[name]?.(bench);
    return (figures ?? []).map((figure) => ({ kind: 'measured', figure }));
  } catch (error) {
    return [{ kind: 'failed', name, problem: (error as Error).message }];
  }
}

function describeMachine(quick: boolean): string {
  const settings = Object.entries(postgresSettings).map(([name, value]) => `${name}=${value}`);
  const load = loadavg()[0]?.toFixed(1);
  return [
    ...(quick ? ['--quick: these figures mean nothing.'] : []),
    `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}) shared by Postgres, collector and receiver; load ${load}; Node ${process.versions.node}`,
    `Embedded Postgres with fsync and synchronous_commit on; ${settings.join(', ')}`,
    `Data: ${loadSample().description}`,
  ].join('\n');
}
