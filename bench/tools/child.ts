/** A process of this folder that exchanges messages: one question, one answer. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export class Child {
  readonly #process: ChildProcess;

  /** Starts a process that ends with this one, however this one ends, because its channel closes. */
  constructor(script: string, args: readonly string[]) {
    this.#process = fork(fileURLToPath(new URL(`../processes/${script}`, import.meta.url)), args, {
      serialization: 'advanced',
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Returns the next message. @throws Error if the process ends instead. */
  async receive<T>(): Promise<T> {
    const ended = new AbortController();
    const onExit = (code: number | null) =>
      ended.abort(new Error(`a process of the benchmark ended with code ${code}`));
    this.#process.once('exit', onExit);
    try {
      const [message] = await once(this.#process, 'message', { signal: ended.signal });
      return message;
    } catch (error) {
      throw ended.signal.aborted ? ended.signal.reason : error;
    } finally {
      this.#process.off('exit', onExit);
    }
  }

  async ask<T>(question: string): Promise<T> {
    const answer = this.receive<T>();
    this.#process.send(question);
    return answer;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    if (this.#process.connected) this.#process.disconnect();
    await ended;
  }
}
