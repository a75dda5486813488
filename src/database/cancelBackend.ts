/** Asks Postgres to cancel a statement that the client has given up: a backend that waits for a lock does not notice. */
import { connect } from 'node:net';

interface Backend {
  readonly host: string;
  readonly port: number;
  readonly processID: number | null;
  readonly secretKey: number | null;
}

const cancelRequestCode = 80_877_102;
const patienceMs = 10_000;

/**
 * Best effort, in the background. Postgres accepts this request on a separate connection, without TLS or login: the key
 * is the proof.
 */
export function cancelBackend({ host, port, processID, secretKey }: Backend): void {
  if (processID === null || secretKey === null) return;
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(cancelRequestCode, 4);
  message.writeInt32BE(processID, 8);
  message.writeInt32BE(secretKey, 12);
  const socket = host.startsWith('/')
    ? connect(`${host}/.s.PGSQL.${port}`)
    : connect({ host, port, timeout: patienceMs });
  socket.on('error', () => {}).on('timeout', () => socket.destroy());
  socket.unref();
  socket.on('connect', () => socket.end(message));
}
