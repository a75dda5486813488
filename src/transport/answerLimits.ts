/**
 * How much a receiver may send in answer to one attempt. An OTLP answer is a few hundred bytes; more is a web page, a
 * mistake or an attack, and every byte of it costs the event loop that serves all streams.
 */

/** All bytes of one attempt from the socket: interim answers, headers, chunk sizes and extensions, trailers. */
export const maxSocketBytes = 256 * 1024;
/** Reads from the socket in one attempt: a peer that sends byte by byte causes one read per byte. */
export const maxSocketReads = 4_096;
/**
 * Bytes passed to the parser at once: past its own limit it creates an error for each further line of headers or trailers in the
 * piece, which takes 0.4 s for the thousands of lines in 64 KiB.
 */
export const maxPieceBytes = 4 * 1024;
/** Bytes of a body, compressed or not, that are read, kept and parsed. */
export const maxAnswerBytes = 64 * 1024;
/** Pieces of a body: a chunk of one byte costs as much as one of a thousand. */
export const maxBodyPieces = 1_024;
/** Interim answers (1xx) before the final one. */
export const maxInterimAnswers = 16;
/** Bytes of one interim answer. */
export const maxInterimBytes = 16 * 1024;
/** Codings of a body that are decoded one after the other, such as gzip within gzip. */
export const maxCodings = 3;

/** Its message follows `The answer of HOST `, such as `has more than 16 interim answers`. */
export class AnswerLimitError extends Error {}
