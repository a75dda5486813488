/**
 * Looks at what a port speaks, for a person whose test has failed: HTTP/1.1, HTTP/2 without TLS (gRPC), or TLS, and with which
 * certificate. It sends the preface of HTTP/2 and a TLS hello, never a header or a record, and reads a few bytes.
 */
import type { LookupAddress } from 'node:dns';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { PortReport, PresentedCertificate } from '../model/portReport.ts';

export interface PortToInspect {
  readonly address: LookupAddress;
  readonly port: number;
  /** Asked for in TLS, unless it is an address. */
  readonly serverName: string;
  /** PEM of whom to trust; undefined: those of the system. */
  readonly ca: string | undefined;
  /** Ends it at once; what was not found by then counts as silent. */
  readonly signal: AbortSignal;
}

/** Three connections at most. Never rejects. */
export async function inspectPort(target: PortToInspect): Promise<PortReport> {
  const [plain, tls] = await Promise.all([readPlain(target), readTls(target, ['h2', 'http/1.1'])]);
  if (tls === null) return { plain, tls: null };
  const isHttp2Only = tls.protocol === 'h2' && (await readTls(target, ['http/1.1']))?.protocol !== 'http/1.1';
  return { plain, tls: { isHttp2Only, certificate: tls.certificate } };
}

/** RFC 9113, section 3.4: the preface, and a SETTINGS frame without settings. */
const http2Preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

async function readPlain({ address, port, signal }: PortToInspect): Promise<PortReport['plain']> {
  const socket = connectTcp({ host: address.address, port, family: address.family });
  let isConnected = false;
  const said = await untilEnd<PortReport['plain']>(socket, signal, (resolve) => {
    socket.once('connect', () => {
      isConnected = true;
      socket.write(http2Preface);
    });
    socket.once('data', (piece: Buffer) => {
      if (isSettingsFrame(piece)) resolve('http2');
      else resolve(piece.subarray(0, 5).equals(Buffer.from('HTTP/')) ? 'http1' : 'silent');
    });
  });
  return said ?? (isConnected ? 'silent' : 'closed');
}

/** The first frame of every HTTP/2 server is SETTINGS, on stream 0. */
export function isSettingsFrame(bytes: Uint8Array): boolean {
  return (
    bytes.length >= 9 && bytes[0] === 0 && bytes[3] === 4 && bytes.subarray(5, 9).every((byte) => byte === 0)
  );
}

interface TlsAnswer {
  readonly protocol: string | null;
  readonly certificate: PresentedCertificate | null;
}

async function readTls(
  { address, port, serverName, ca, signal }: PortToInspect,
  protocols: string[],
): Promise<TlsAnswer | null> {
  const socket = connectTls({
    host: address.address,
    port,
    ALPNProtocols: protocols,
    // It is shown, not trusted: nothing is sent.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(ca !== undefined && { ca }),
    ...(isIP(serverName) === 0 && { servername: serverName }),
  });
  return await untilEnd<TlsAnswer>(socket, signal, (resolve) => {
    socket.once('secureConnect', () => {
      resolve({ protocol: socket.alpnProtocol || null, certificate: readCertificate(socket) });
    });
  });
}

function readCertificate(socket: TLSSocket): PresentedCertificate | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const { subject, issuer, subjectAltName = '', validFrom, validTo, fingerprint256 } = certificate;
  return {
    subject: onOneLine(subject),
    issuer: onOneLine(issuer),
    names: [...subjectAltName.matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)]
      .map(([, name = '']) => name)
      .slice(0, 20),
    validFrom: new Date(validFrom).toISOString(),
    validTo: new Date(validTo).toISOString(),
    fingerprint: fingerprint256,
    isSelfSigned: subject === issuer && certificate.verify(certificate.publicKey),
    isTrusted: socket.authorized,
  };
}

/** A server writes what it likes into it. */
function onOneLine(name: string): string {
  return name
    .replace(/\s*\n\s*/g, ', ')
    .replace(/\p{C}/gu, '')
    .slice(0, 200);
}

/** null: it ended without an answer. */
function untilEnd<T>(
  socket: Socket,
  signal: AbortSignal,
  listen: (resolve: (answer: T) => void) => void,
): Promise<T | null> {
  const { promise, resolve } = Promise.withResolvers<T | null>();
  const end = (): void => resolve(null);
  socket.on('error', end).once('close', end);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  listen(resolve);
  return promise.finally(() => {
    signal.removeEventListener('abort', end);
    socket.destroy();
  });
}
