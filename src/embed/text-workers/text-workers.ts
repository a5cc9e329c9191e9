import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { encodeTexts, type PreparedTexts } from '../../analysis/text-preparer.js';
import { SemanticIndexError } from '../../errors.js';
import type { TextCall, TextReply, TextRequest } from './text-messages.js';

/** Texts to prepare, see {@link TextRequest}. */
export type TextsToPrepare = Omit<TextRequest, 'texts'> & { readonly texts: readonly string[] };

/** More threads would wait for the catalog. */
const maxThreads = 4;
/** A thread without work ends after so many milliseconds, and frees the memory of its model. */
const idleMilliseconds = 10_000;

interface Pending {
  resolve(prepared: PreparedTexts): void;
  reject(error: unknown): void;
}

/**
 * Threads that embed texts with a static model and analyze them, off the event loop. They start on demand, keep the process alive
 * only while they work, and end when they are idle. What they return does not depend on their number.
 */
export class TextWorkers {
  readonly #maxThreads: number;
  readonly #idleMilliseconds: number;
  readonly #threads: TextThread[] = [];

  /** Default: one thread per core but one, at most four. */
  constructor(threads = availableParallelism() - 1, idle = idleMilliseconds) {
    this.#maxThreads = Math.min(maxThreads, Math.max(1, threads));
    this.#idleMilliseconds = idle;
  }

  /** Threads that are running. */
  get threads(): number {
    return this.#threads.length;
  }

  /**
   * Embeds and analyzes texts. Once it is aborted it rejects with the reason of the signal, and the thread soon stops working on
   * it: a text that has begun is taken apart to its end.
   *
   * @throws MODEL_NOT_FOUND, INVALID_FILE for the model; IO when no thread can be started; OUT_OF_MEMORY.
   */
  async prepare(request: TextsToPrepare, signal?: AbortSignal): Promise<PreparedTexts> {
    signal?.throwIfAborted();
    if (signal === undefined) return this.#freest().call(request);
    const cancelled = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const preparing = this.#freest().call(request, cancelled);
    let abort = (): void => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => {
        Atomics.store(cancelled, 0, 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
    });
    try {
      return await Promise.race([preparing, aborted]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** The thread with the least work; a new one when all have some. */
  #freest(): TextThread {
    const [first, ...others] = this.#threads;
    const freest = others.reduce(
      (best, thread) => (thread.pending < (best as TextThread).pending ? thread : best),
      first,
    );
    if (freest !== undefined && (freest.pending === 0 || this.#threads.length === this.#maxThreads)) return freest;
    const started = new TextThread(this.#idleMilliseconds, () =>
      this.#threads.splice(this.#threads.indexOf(started), 1),
    );
    this.#threads.push(started);
    return started;
  }
}

/** One thread and the calls that it has not answered. */
class TextThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #idleMilliseconds: number;
  readonly #onEnd: () => void;
  #calls = 0;
  #isStarted = false;
  #hasEnded = false;
  #idle: NodeJS.Timeout | undefined;

  /** `onEnd` is called once, when it takes no more calls. */
  constructor(idleMilliseconds: number, onEnd: () => void) {
    this.#idleMilliseconds = idleMilliseconds;
    this.#onEnd = onEnd;
    // Options of the process, such as --input-type, may not be valid for a worker.
    this.#worker = new Worker(new URL('./text-worker.js', import.meta.url), { execArgv: [] });
    this.#worker.on('message', (reply: TextReply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(undefined));
    this.#worker.unref();
  }

  get pending(): number {
    return this.#pending.size;
  }

  call({ texts, ...request }: TextsToPrepare, cancelled?: Int32Array): Promise<PreparedTexts> {
    clearTimeout(this.#idle);
    return new Promise((resolve, reject) => {
      const call = ++this.#calls;
      this.#pending.set(call, { resolve, reject });
      this.#worker.ref();
      const encoded = encodeTexts(texts);
      const message: TextCall = { call, cancelled, ...request, texts: encoded };
      this.#worker.postMessage(message, [encoded.bytes.buffer, encoded.ends.buffer]);
    });
  }

  #settle(reply: TextReply): void {
    this.#isStarted = true;
    const pending = this.#pending.get(reply.call);
    this.#pending.delete(reply.call);
    if (this.#pending.size === 0) this.#rest();
    if (!('error' in reply)) {
      const { vectors, tokens, terms, languages } = reply;
      pending?.resolve({ vectors, tokens, terms, languages });
      return;
    }
    const { code, message, hint, details, stack } = reply.error;
    const error = new SemanticIndexError(code, message, { ...(hint !== undefined && { hint }), details });
    if (stack !== undefined) error.stack = stack;
    pending?.reject(error);
  }

  #rest(): void {
    this.#worker.unref();
    this.#idle = setTimeout(() => {
      this.#end();
      this.#worker.postMessage(null);
    }, this.#idleMilliseconds);
    this.#idle.unref();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#idle);
    this.#onEnd();
  }

  #fail(cause: unknown): void {
    this.#end();
    const error = threadError(cause, this.#isStarted);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

/** The error for a thread that could not be started (too few files or too little memory) or ended unexpectedly. */
function threadError(cause: unknown, isStarted: boolean): SemanticIndexError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new SemanticIndexError('OUT_OF_MEMORY', 'A thread that prepares texts ran out of memory', {
      hint: 'Lower `batchSize`, or split long texts.',
      cause,
    });
  }
  if (isStarted)
    return new SemanticIndexError('INTERNAL', 'A thread that prepares texts ended unexpectedly', { cause });
  return new SemanticIndexError(
    'IO',
    `Could not start a thread that prepares texts${code === undefined ? '' : ` (${code})`}`,
    {
      cause,
      hint: 'The process or the system is out of file descriptors, threads or memory: close some, or raise the limit.',
    },
  );
}

/** Fewer characters are worked on faster than they are sent. */
const minCharacters = 32_768;

/** Whether so many texts are worth a call to a thread. */
export function isWorthThread(texts: readonly string[]): boolean {
  let characters = 0;
  return texts.some(({ length }) => {
    characters += length;
    return characters >= minCharacters;
  });
}

let shared: TextWorkers | undefined;

/** The threads of this process; all indexes share them. */
export function textWorkers(): TextWorkers {
  shared ??= new TextWorkers();
  return shared;
}
