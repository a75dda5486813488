/** What one run of the demo stores for the next. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

export interface DemoState {
  /** null: this is the first run. */
  readonly receiverPort: number | null;
  /** The Authorization header that the receiver requires. */
  readonly authorization: string;
}

export async function readState(file: string): Promise<DemoState> {
  const fresh = {
    receiverPort: null,
    authorization: `Bearer ${randomBytes(15).toString('base64url')}`,
  };
  try {
    return { ...fresh, ...(JSON.parse(await readFile(file, 'utf8')) as Partial<DemoState>) };
  } catch {
    return fresh;
  }
}

export async function writeState(file: string, state: DemoState): Promise<void> {
  await writeFile(file, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
}
