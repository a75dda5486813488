/**
 * The settings of one process, checked and typed. `table.ts` says what each is called and means; `readSettings.ts` makes them.
 */
import type { Secret } from '../model/secret.ts';
import type { ClusterSettings } from './clusterSettings.ts';
import type { PageSettings } from './pageSettings.ts';

export interface Settings extends PageSettings, ClusterSettings {
  readonly databaseUrl: Secret;
  readonly configSource: 'kubernetes' | 'directory';
  /** null exactly when `configSource` is `kubernetes`. */
  readonly configDirectory: string | null;
  /** null: every namespace. */
  readonly watchNamespace: string | null;
  /** null: there is no page. */
  readonly pageAddress: ListenAddress | null;
  /** null only without a page. */
  readonly authMode: AuthMode | null;
  readonly operationsAddress: ListenAddress;
  /** null: /metrics is open to all who reach it. */
  readonly metricsToken: Secret | null;
  readonly logLevel: LogLevel;
  readonly configChangeEntries: 'write' | 'omit';
  readonly serviceName: string;
  readonly pollIntervalMs: number;
  readonly leaseDurationMs: number;
  /** Of this process among its replicas. */
  readonly replicaName: string;
  readonly statusIntervalMs: number;
  /** Of one request, before compression. */
  readonly maxBatchBytes: number;
  /** Per stream. */
  readonly maxRequestsInFlight: number;
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
  readonly holdInitialMs: number;
  readonly holdMaxMs: number;
  /** CIDR notation; a single address as written in the setting becomes /32 or /128. */
  readonly refusedAddresses: readonly string[];
  /** In the same notation: opens what the address guard would refuse. */
  readonly allowedAddresses: readonly string[];
  readonly databasePoolSize: number;
  readonly shutdownGraceMs: number;
}

export interface ListenAddress {
  /** IP address or host name, IPv6 without brackets. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export const authModes = ['oidc', 'jwt', 'headers', 'local'] as const;
export type AuthMode = (typeof authModes)[number];

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
type LogLevel = (typeof logLevels)[number];
