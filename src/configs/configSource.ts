/**
 * Where AuditExportConfigs come from. The directory, the cluster and the page differ only behind this interface.
 */
import type { ExportConfig, ExportSpec, Remark } from '../model/exportConfig.ts';
import type { ConfigReason } from '../model/reasons.ts';
import type { ExportStatus, LedgerStatus } from '../model/streamStatus.ts';
import type { ConfigEditor } from './configEditor.ts';

/** One manifest as it stands now. */
export type ConfigState =
  | { readonly kind: 'valid'; readonly config: ExportConfig }
  /**
   * The manifest, or something it refers to, is wrong. `problems` has one sentence each. `lastGood` keeps running
   * while it is there; without one there is nothing to run.
   */
  | {
      readonly kind: 'invalid';
      readonly key: string;
      readonly namespace: string;
      readonly name: string;
      readonly generation: number;
      readonly reason: ConfigReason;
      readonly problems: readonly string[];
      readonly lastGood: ExportConfig | null;
      /**
       * What the manifest asks for, when only something it refers to is wrong; null when it is wrong itself. Its stream
       * begins now, so that `startFrom: Now` counts from here and not from when the Secret comes.
       */
      readonly spec: ExportSpec | null;
    };

export interface ConfigSource {
  /**
   * Reads everything once, then watches. Resolves after the first full read (also when some manifests are invalid); or
   * sooner, when that has to wait for a server that is away: it has been said, and is tried again. `onChange` is called
   * with the first full read, even if it is empty, and after each change; with all manifests as they stand, by key; never
   * concurrently. A state that has not changed is the same object as before.
   *
   * @throws when the source cannot be read at all at start (directory missing): say so and exit.
   */
  start(onChange: (configs: ReadonlyMap<string, ConfigState>) => void): Promise<void>;

  /**
   * Writes the status of one manifest when it differs; `remarks` are those in its message that the manifest does not have itself.
   * Failures are logged and tried again, with the next call at the latest.
   */
  writeStatus(key: string, status: ExportStatus, remarks?: readonly Remark[]): Promise<void>;

  /** The status that stands, also one of an earlier run or of another replica; null: none. Absent: the source cannot tell. */
  previousStatus?(key: string): ExportStatus | null;

  /** The ledger that the status names which stands, also one of an earlier run or of another replica; null: none. */
  readLedger(key: string): Promise<LedgerStatus | null>;

  /**
   * `kubernetes …` or `directory …`: equal for replicas that read the same place, and only for those. Absent: changes are not
   * recorded.
   */
  readonly scope?: string;

  /** true: generations are the same to all replicas. Absent: this process counts them. */
  readonly hasSharedGenerations?: boolean;

  /** The writing side; absent: the source can only be read. */
  readonly editor?: ConfigEditor;

  /** Ends every watch and timer; resolves when nothing of the source runs any more. */
  stop(): Promise<void>;
}
