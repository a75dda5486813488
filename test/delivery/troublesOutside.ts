/** What can go wrong at the receiver and in the config, and what is said meanwhile: one row each. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { StateName } from '../../src/model/states.ts';
import type { ExportStatus } from '../../src/model/streamStatus.ts';
import { ok, type ReceiverAnswer } from '../tools/receiver.ts';
import type { Product } from './saying.ts';

export interface Trouble {
  /** Hours that the clock of the collector is ahead. */
  readonly clockHours?: number;
  /** Nothing can be written meanwhile: the entry is one from before. */
  readonly isUnwritable?: boolean;
  /** Returns what ends it. */
  readonly begin: (product: Product) => Promise<() => unknown>;
  /** Of the two entries that are written meanwhile: how many the receiver keeps. */
  readonly kept?: number;
  readonly during: Said;
  /** Default: all is delivered. */
  readonly after?: Said;
}

export interface Said {
  readonly status: RegExp;
  readonly badge: StateName;
  readonly page?: RegExp;
  readonly entry: RegExp;
}

const answering =
  (answer: ReceiverAnswer) =>
  async ({ receiver }: Product) => {
    receiver.answerWith(answer);
    return () => receiver.answerWith(ok);
  };

/** `isTaken`: the collector knows of it. */
const changing =
  (changes: Record<string, unknown>, isTaken: (status: ExportStatus) => boolean) =>
  async ({ writeConfig, collector }: Product) => {
    await writeConfig(changes);
    await collector.waitForStatus('siem', isTaken);
    return () => writeConfig();
  };

const rejecting = (rejected: number, stored: boolean): ReceiverAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ partialSuccess: { rejectedLogRecords: rejected, errorMessage: 'too old' } }),
  stored,
});

/** Not before an admin has looked there. */
const incomplete: Said = {
  status: /^True Incomplete: All but 1 entry are delivered\./,
  badge: 'incomplete',
  page: /Rejected 1/,
  entry: /siem Delivered or rejected .*rejected 1 entry without saying which/,
};

export const troublesOutside: Readonly<Record<string, Trouble>> = {
  'the receiver is down': {
    begin: async ({ receiver }) => {
      await receiver.refuse();
      return () => receiver.listen();
    },
    during: {
      status: /^False ConnectionRefused: .*127\.0\.0\.1/,
      badge: 'retrying',
      entry: /siem Pending Waiting: siem does not accept entries right now \(ConnectionRefused\)/,
    },
  },
  'the receiver answers 401': {
    begin: answering({ status: 401 }),
    during: {
      status: /^False Unauthorized: .*401/,
      badge: 'holding',
      entry: /siem Pending Waiting: siem is stopped \(401\)\. Fix it/,
    },
  },
  'the receiver answers 200 with a login page': {
    begin: answering({
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: '<title>Sign in</title>',
      stored: false,
    }),
    during: {
      status: /^False NotOtlp: /,
      badge: 'holding',
      // A 200 sounds as if all were well.
      entry: /siem Pending Waiting: siem is stopped \(NotOtlp\)\. Fix it/,
    },
  },
  'the host has no address': {
    begin: changing({ endpoint: 'http://siem.invalid:4318/v1/logs' }, ({ resolvedEndpoint }) =>
      /invalid/.test(resolvedEndpoint ?? ''),
    ),
    during: {
      status: /^False DnsFailed: .*siem\.invalid/,
      badge: 'retrying',
      entry: /siem Pending Waiting: siem does not accept entries right now \(DnsFailed\)/,
    },
  },
  'the receiver takes its time': {
    begin: async ({ receiver }) => {
      const gate = Promise.withResolvers<ReceiverAnswer>();
      onTestFinished(() => gate.resolve(ok));
      receiver.answerWith(() => gate.promise);
      return () => gate.resolve(ok);
    },
    during: {
      status: /^True Delivering: 2 entries are pending\./,
      badge: 'delivering',
      page: /Pending 2 /,
      entry: /siem Pending Not delivered yet: it waits for its turn\./,
    },
  },
  'the receiver rejects every record': {
    begin: answering(rejecting(2, false)),
    during: {
      status: /^False EntryRefused: .*too old/,
      badge: 'holding',
      entry: /siem Pending Waiting: siem is stopped \(EntryRefused\)\. Fix it/,
    },
  },
  'the receiver rejects one of two records, and does not say which': {
    begin: answering(rejecting(1, true)),
    kept: 2,
    ...{ during: incomplete, after: incomplete },
  },
  'it is suspended': {
    begin: changing({ suspend: true }, ({ conditions }) => conditions[0]?.reason === 'Suspended'),
    during: {
      status: /^False Suspended: /,
      badge: 'suspended',
      entry: /siem Pending Waiting until siem is resumed\./,
    },
  },
  'its Secret is deleted': {
    begin: async ({ collector }) => {
      const folder = join(collector.directory, 'secrets', 'siem');
      await rename(folder, `${folder}-gone`);
      return () => rename(`${folder}-gone`, folder);
    },
    kept: 2,
    during: {
      status: /^False Secret\w*: .*siem.*the last good version stays in force/,
      badge: 'misconfigured',
      page: /last good version/,
      entry: /siem Delivered /,
    },
  },
  'its manifest is invalid': {
    begin: changing({ maxBatchSize: 100_000 }, ({ conditions }) => conditions[0]?.reason === 'InvalidSpec'),
    kept: 2,
    during: {
      status: /^False InvalidSpec: .*maxBatchSize.*the last good version stays in force/,
      badge: 'misconfigured',
      page: /last good version/,
      entry: /siem Delivered /,
    },
  },
  'its clock is two hours ahead, and the receiver answers 401': {
    clockHours: 2,
    begin: answering({ status: 401 }),
    during: {
      status: /^False Unauthorized: /,
      badge: 'holding',
      entry: /siem Pending Waiting: siem is stopped \(401\)\. Fix it/,
    },
  },
  'its clock is two hours behind, and the receiver rejects one of two records': {
    clockHours: -2,
    begin: answering(rejecting(1, true)),
    kept: 2,
    ...{ during: incomplete, after: incomplete },
  },
};
