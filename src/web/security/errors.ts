/** What is said when a handler threw: a sentence for the person, the error for the log, and nothing of it for the person. */
import type { ErrorRequestHandler } from 'express';
import { isDatabaseAway } from '../../database/failure.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { sendProblem } from '../reply/reply.ts';

interface Answer {
  readonly status: number;
  readonly title: string;
  readonly message: string;
}

/** Comes last. Express knows it by its four parameters. */
export function answerErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const answer = describe(error);
    // Whoever sends a broken request makes no operator look.
    const level = answer.status < 500 ? 'debug' : 'error';
    log[level](
      { err: error, method: request.method, route: response.locals['route'] },
      'page: a request failed',
    );
    if (response.headersSent) {
      // Half an answer must not look like a whole one: Express ends the connection.
      next(error);
      return;
    }
    if (answer.status === 503) response.set('Retry-After', '5');
    const { status, title, message } = answer;
    sendProblem(request, response, status, { title, message, link: null });
  };
}

function describe(error: unknown): Answer {
  const status = clientStatusOf(error);
  if (status !== null) return clientErrors[status] ?? { ...badRequest, status };
  if (isDatabaseAway(error)) {
    return {
      status: 503,
      title: 'The database does not answer',
      message: 'Or it took too long for this. Nothing is lost; try again in a moment.',
    };
  }
  return {
    status: 500,
    title: 'This did not work',
    message:
      'Something failed inside the page; its log says what. Nothing was changed that you did not see confirmed.',
  };
}

const badRequest: Answer = {
  status: 400,
  title: 'This request is broken',
  message: 'The address or the form cannot be read. Go back, reload the page and try again.',
};

const clientErrors: Readonly<Record<number, Answer>> = {
  413: {
    status: 413,
    title: 'This is too large',
    message: 'The form holds more than the page takes (256 KB, 200 fields). Nothing was saved.',
  },
  415: { ...badRequest, status: 415 },
};

/** Of errors that Express and its parsers throw about what the client sent; null: of another kind. */
function clientStatusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('status' in error)) return null;
  const { status } = error;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null;
}
