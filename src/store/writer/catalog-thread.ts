import type { Worker } from 'node:worker_threads';
import { SemanticIndexError } from '../../errors.js';
import type { CancelFlag } from '../sqlite/cancelling.js';
import type { CatalogOptions } from '../sqlite/connection.js';
import { type CatalogClient, type CatalogTransport, catalogClient } from './catalog-client.js';
import { type CallMessage, type ReplyMessage, type ThreadMessage, transferable } from './catalog-messages.js';
import { keepThread, takeThread } from './idle-threads.js';

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
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
  return catalogClient(new ThreadTransport(catalog));
}

class ThreadTransport implements CatalogTransport {
  readonly #catalog: CatalogOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #calls = 0;
  #closing: Promise<void> | undefined;
  /** While closing: called when the catalog is closed, with whether its thread is still there. */
  #closed: ((isUsable: boolean) => void) | undefined;
  /** Ends listening to the worker. */
  #release: (() => void) | undefined;

  constructor(catalog: CatalogOptions) {
    this.#catalog = catalog;
  }

  send(target: string, method: string, args: readonly unknown[], flag: CancelFlag | undefined): Promise<unknown> {
    // Its thread may serve another catalog by then.
    if (this.#closing !== undefined) {
      return Promise.reject(new SemanticIndexError('CLOSED', 'The index is closed'));
    }
    return new Promise((resolve, reject) => {
      this.#worker ??= this.#start();
      const worker = this.#worker;
      const call = ++this.#calls;
      this.#pending.set(call, { resolve, reject });
      worker.ref();
      const message: CallMessage = { kind: 'call', call, target, method, args, ...(flag !== undefined && { flag }) };
      try {
        worker.postMessage(message, transferable(args));
      } catch (error) {
        this.#pending.delete(call);
        reject(error);
      }
    });
  }

  #start(): Worker {
    const worker = takeThread();
    let isStarted = false;
    // A thread ends after its error; its exit must not reject calls of the next one.
    const fail = (cause: unknown): void => {
      this.#release?.();
      this.#closed?.(false);
      this.#fail(cause, isStarted);
    };
    const listeners = {
      message: (reply: ReplyMessage): void => {
        isStarted = true;
        if (reply === null) this.#closed?.(true);
        else this.#settle(reply);
      },
      error: fail,
      exit: () => fail(undefined),
    };
    for (const [event, listener] of Object.entries(listeners)) worker.on(event, listener);
    this.#release = () => {
      for (const [event, listener] of Object.entries(listeners)) worker.off(event, listener);
    };
    worker.unref();
    worker.postMessage({ kind: 'open', catalog: this.#catalog } satisfies ThreadMessage);
    return worker;
  }

  #settle(reply: NonNullable<ReplyMessage>): void {
    const pending = this.#pending.get(reply.call);
    this.#pending.delete(reply.call);
    // A closing thread keeps the process alive until its catalog is closed, also after its last reply.
    if (this.#pending.size === 0 && this.#closed === undefined) this.#worker?.unref();
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

  /** Lets running calls finish, then closes the catalog. Later calls are refused. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const closed = new Promise<boolean>((resolve) => {
      this.#closed = resolve;
    });
    worker.ref();
    worker.postMessage({ kind: 'close' } satisfies ThreadMessage);
    const isUsable = await closed;
    this.#release?.();
    if (isUsable) keepThread(worker);
    this.#closed = undefined;
    this.#worker = undefined;
  }
}
