import { Worker } from 'node:worker_threads';
import { SemanticIndexError } from '../../errors.js';
import { type CancelFlag, cancel, cancelFlag } from '../sqlite/cancelling.js';
import type { CatalogOptions } from '../sqlite/connection.js';
import {
  type ArgumentsOf,
  type CallMessage,
  type CatalogCaller,
  type CatalogTargets,
  type MethodOf,
  type ReplyMessage,
  type ResultOf,
  transferable,
} from './catalog-calls.js';

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** What a catalog thread is told at its start. */
export interface CatalogThreadData {
  readonly catalog: CatalogOptions;
}

/** Why a thread is gone: it could not be started for want of files or memory, or it ended by a defect. */
function threadError(cause: unknown, isStarted: boolean): SemanticIndexError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new SemanticIndexError('OUT_OF_MEMORY', 'The catalog thread ran out of memory', { cause });
  }
  if (!isStarted) {
    return new SemanticIndexError(
      'IO',
      `A thread for the catalog could not be started${code === undefined ? '' : ` (${code})`}`,
      {
        cause,
        hint: 'The process or the system has no more file descriptors, threads or memory: close some, or raise the limit.',
      },
    );
  }
  return new SemanticIndexError('INTERNAL', 'The catalog thread ended unexpectedly', { cause });
}

/**
 * A connection to the catalog in a thread of its own, so that neither commits nor long readings hold up the event loop.
 * Started by the first call; keeps the process alive only while calls are under way.
 */
export class CatalogThread implements CatalogCaller {
  readonly #data: CatalogThreadData;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #calls = 0;

  constructor(data: CatalogThreadData) {
    this.#data = data;
  }

  call<T extends keyof CatalogTargets, M extends MethodOf<CatalogTargets[T]>>(
    target: T,
    method: M,
    ...given: ArgumentsOf<CatalogTargets[T], M>
  ): Promise<ResultOf<CatalogTargets[T], M>> {
    return this.#send(undefined, target, method, given);
  }

  async callUntil<T extends keyof CatalogTargets, M extends MethodOf<CatalogTargets[T]>>(
    signal: AbortSignal | undefined,
    target: T,
    method: M,
    ...given: ArgumentsOf<CatalogTargets[T], M>
  ): Promise<ResultOf<CatalogTargets[T], M>> {
    if (signal === undefined) return this.#send(undefined, target, method, given);
    signal.throwIfAborted();
    const flag = cancelFlag();
    let leave = (): void => {};
    const aborted = new Promise<never>((_, reject) => {
      leave = () => {
        cancel(flag);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
    });
    try {
      return await Promise.race([this.#send<T, M>(flag, target, method, given), aborted]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #send<T extends keyof CatalogTargets, M extends MethodOf<CatalogTargets[T]>>(
    flag: CancelFlag | undefined,
    target: T,
    method: M,
    given: readonly unknown[],
  ): Promise<ResultOf<CatalogTargets[T], M>> {
    return new Promise((resolve, reject) => {
      this.#worker ??= this.#start();
      const worker = this.#worker;
      const call = ++this.#calls;
      this.#pending.set(call, { resolve: resolve as (result: unknown) => void, reject });
      worker.ref();
      const message: CallMessage = { call, target, method, given, ...(flag !== undefined && { flag }) };
      try {
        worker.postMessage(message, transferable(given));
      } catch (error) {
        this.#pending.delete(call);
        reject(error);
      }
    });
  }

  #start(): Worker {
    // What the process was started with, such as --input-type, need not suit a worker.
    const worker = new Worker(new URL('./catalog-worker.js', import.meta.url), {
      workerData: this.#data,
      execArgv: [],
    });
    let isStarted = false;
    worker.on('message', (reply: ReplyMessage) => {
      isStarted = true;
      this.#settle(reply);
    });
    worker.on('error', (error) => this.#fail(error, isStarted));
    worker.on('exit', () => this.#fail(undefined, isStarted));
    worker.unref();
    return worker;
  }

  #settle(reply: ReplyMessage): void {
    const pending = this.#pending.get(reply.call);
    this.#pending.delete(reply.call);
    if (this.#pending.size === 0) this.#worker?.unref();
    if (pending === undefined) return;
    if ('result' in reply) {
      pending.resolve(reply.result);
    } else {
      const { code, message, hint, details, stack } = reply.error;
      const error = new SemanticIndexError(code, message, { hint, details });
      if (stack !== undefined) error.stack = stack;
      pending.reject(error);
    }
  }

  #fail(cause: unknown, isStarted: boolean): void {
    this.#worker = undefined;
    const error = threadError(cause, isStarted);
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }

  /** Lets the calls under way finish, then ends the thread. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.removeAllListeners('exit');
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.ref();
    worker.postMessage(null);
    await ended;
    this.#worker = undefined;
  }
}
