import { Worker } from 'node:worker_threads';
import { SemanticIndexError } from '../../errors.js';
import type { CancelFlag } from '../sqlite/cancelling.js';
import type { CatalogOptions } from '../sqlite/connection.js';
import { type CatalogClient, type CatalogTransport, catalogClient } from './catalog-client.js';
import { type CallMessage, type ReplyMessage, transferable } from './catalog-messages.js';

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Data that a catalog thread starts with. */
export interface CatalogThreadData {
  readonly catalog: CatalogOptions;
}

/** The error for a thread that could not be started (too few files or too little memory) or ended unexpectedly. */
function threadError(cause: unknown, isStarted: boolean): SemanticIndexError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new SemanticIndexError('OUT_OF_MEMORY', 'The catalog thread ran out of memory', { cause });
  }
  if (!isStarted) {
    return new SemanticIndexError(
      'IO',
      `Could not start a thread for the catalog${code === undefined ? '' : ` (${code})`}`,
      {
        cause,
        hint: 'The process or the system is out of file descriptors, threads or memory: close some, or raise the limit.',
      },
    );
  }
  return new SemanticIndexError('INTERNAL', 'The catalog thread ended unexpectedly', { cause });
}

/**
 * A connection to the catalog in a thread of its own, so that neither commits nor long reads block the event loop. The thread
 * starts with the first call and keeps the process alive only while calls are running.
 */
export function catalogThread(catalog: CatalogOptions): CatalogClient {
  return catalogClient(new ThreadTransport({ catalog }));
}

class ThreadTransport implements CatalogTransport {
  readonly #data: CatalogThreadData;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #calls = 0;
  #isClosing = false;

  constructor(data: CatalogThreadData) {
    this.#data = data;
  }

  send(target: string, method: string, args: readonly unknown[], flag: CancelFlag | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#worker ??= this.#start();
      const worker = this.#worker;
      const call = ++this.#calls;
      this.#pending.set(call, { resolve, reject });
      worker.ref();
      const message: CallMessage = { call, target, method, args, ...(flag !== undefined && { flag }) };
      try {
        worker.postMessage(message, transferable(args));
      } catch (error) {
        this.#pending.delete(call);
        reject(error);
      }
    });
  }

  #start(): Worker {
    // Options of the process, such as --input-type, may not be valid for a worker.
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
    // A closing thread keeps the process alive until it has ended, also after its last reply.
    if (this.#pending.size === 0 && !this.#isClosing) this.#worker?.unref();
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

  /** Lets running calls finish, then ends the thread. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#isClosing = true;
    worker.removeAllListeners('exit');
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.ref();
    worker.postMessage(null);
    await ended;
    this.#isClosing = false;
    this.#worker = undefined;
  }
}
