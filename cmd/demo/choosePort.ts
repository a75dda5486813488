import { once } from 'node:events';
import { createServer } from 'node:net';
import { findFreePort } from '../../tools/freePort.ts';

export interface ChosenPort {
  readonly port: number;
  /** ` (4318 is busy)` if it is not the requested one; for the line that names the port. */
  readonly note: string;
}

/** The requested port of 127.0.0.1, or a free one if something listens there. */
export async function choosePort(wished: number): Promise<ChosenPort> {
  const server = createServer();
  try {
    await once(server.listen(wished, '127.0.0.1'), 'listening');
    server.close();
    await once(server, 'close');
    return { port: wished, note: '' };
  } catch {
    return { port: await findFreePort(), note: ` (${wished} is busy)` };
  }
}
