/** Answers a request that Node could not read, in words: by itself it sends an empty answer. */
import type { Duplex } from 'node:stream';

/** For `clientError` of a server. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, words } = describe(error.code);
  const body = `${words}\n`;
  const head = [
    `HTTP/1.1 ${status}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function describe(code: string | undefined): { readonly status: string; readonly words: string } {
  // It deletes no cookie by itself: a link of another site with a long address would sign people out.
  if (code === 'HPE_HEADER_OVERFLOW') {
    return {
      status: '431 Request Header Fields Too Large',
      words:
        'The address and the cookies that your browser sent are too large together: this page accepts 16 KB. Delete the cookies of this site, or use a shorter address, then open the page again.',
    };
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return {
      status: '408 Request Timeout',
      words: 'The request took too long to arrive. Try again.',
    };
  return {
    status: '400 Bad Request',
    words: 'This request is not valid HTTP. If a proxy is in front of this page, see what it sends.',
  };
}
