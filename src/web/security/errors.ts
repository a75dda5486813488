/** Answers when a handler threw: the person gets a sentence, the log gets the error. */
import type { ErrorRequestHandler } from 'express';
import { isDatabaseAway } from '../../database/failure.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { sendProblem } from '../reply/reply.ts';

interface Answer {
  readonly status: number;
  readonly title: string;
  readonly message: string;
}

/** Use it last. Express recognizes it by its four parameters. */
export function answerErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const answer = describe(error, request.method === 'GET' || request.method === 'HEAD');
    // A broken request is not an operator's concern.
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
    sendProblem(request, response, status, { title, message });
  };
}

function describe(error: unknown, isRead: boolean): Answer {
  const status = clientStatusOf(error);
  if (status !== null) return status === 413 ? tooLarge : { ...badRequest, status };
  if (isDatabaseAway(error)) {
    return {
      status: 503,
      title: 'The database does not answer',
      message: `It is away, or this took too long. ${isRead ? 'Try again in a moment.' : lookFirst}`,
    };
  }
  return {
    status: 500,
    title: 'Something went wrong',
    message: `The page could not ${isRead ? 'do' : 'finish'} this; its log says why.${isRead ? '' : ` ${lookFirst}`}`,
  };
}

/** The failure may have come after the change. */
const lookFirst = 'Look whether it was done before you do it again.';

const badRequest: Answer = {
  status: 400,
  title: 'This request is not valid',
  message: 'The address or the form cannot be read. Go back, reload the page and try again.',
};

const tooLarge: Answer = {
  status: 413,
  title: 'This is too large',
  message: 'The form holds more than the page accepts (256 KB, 200 fields). Nothing was saved.',
};

/** The status of an error that Express and its parsers throw about what the client sent; null: another kind of error. */
function clientStatusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('status' in error)) return null;
  const { status } = error;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null;
}
