/**
 * Runs the readiness checks: all of them at once, each with a deadline, and each at most once at a time, so that probes
 * cannot pile up while the database hangs.
 */
import { once } from 'node:events';
import type { Logger } from '../telemetry/logger.ts';

export interface CheckResult {
  readonly ok: boolean;
  /** One sentence for a person; never a secret. */
  readonly message: string;
}

/** @param signal aborts at the deadline: nobody waits for the answer any longer. */
export type Check = (signal: AbortSignal) => Promise<CheckResult>;

export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, CheckResult>>;
}

/** Less than the 1 s after which a Kubernetes probe gives up (timeoutSeconds), so that the answer still says why. */
const deadlineMs = 800;

/**
 * Returns a function that never rejects, and answers within the deadline.
 *
 * @param logger hears when a check begins to fail and when it passes again, nothing in between.
 */
export function makeReadiness(
  checks: Readonly<Record<string, Check>>,
  logger: Logger,
): () => Promise<Readiness> {
  const runners = Object.entries(checks).map(([name, check]) => {
    const run = makeRunner(check, (error) =>
      logger.debug({ check: name, err: error }, 'readiness check failed'),
    );
    return [name, tellTransitions(name, run, logger)] as const;
  });
  return async () => {
    const results = await Promise.all(runners.map(async ([name, run]) => [name, await run()] as const));
    return { ready: results.every(([, result]) => result.ok), checks: Object.fromEntries(results) };
  };
}

function tellTransitions(
  name: string,
  run: () => Promise<CheckResult>,
  logger: Logger,
): () => Promise<CheckResult> {
  let wasOk = true;
  return async () => {
    const result = await run();
    if (result.ok !== wasOk) {
      wasOk = result.ok;
      if (result.ok) logger.info({ check: name }, `ready again: ${result.message}`);
      else logger.warn({ check: name }, `not ready: ${result.message}`);
    }
    return result;
  };
}

/** A caller that asks while the check runs waits for that same run, but never past its deadline. */
function makeRunner(check: Check, onError: (error: unknown) => void): () => Promise<CheckResult> {
  let running: Promise<CheckResult> | null = null;
  let answer: Promise<CheckResult> = Promise.resolve(late);
  return () => {
    if (running !== null) return answer;
    const deadline = AbortSignal.timeout(deadlineMs);
    running = settle(check, deadline, onError).finally(() => {
      running = null;
    });
    answer = Promise.race([running, once(deadline, 'abort').then(() => late)]);
    return answer;
  };
}

const late: CheckResult = { ok: false, message: `No answer within ${deadlineMs} ms.` };

async function settle(
  check: Check,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<CheckResult> {
  try {
    return await check(signal);
  } catch (error) {
    onError(error);
    // Only the code: anyone who can reach the port reads this answer, and a message can contain anything.
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    return { ok: false, message: `The check failed${code}.` };
  }
}
