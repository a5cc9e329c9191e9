import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { SemanticIndexError } from '../errors.js';
import type { ParsedContent } from './content/file-content.js';
import { invalidFile } from './content/invalid-file.js';
import { nextPart, type ParseReply, type ParseRequest } from './parse-messages.js';

/** More threads would wait for embedding. */
const maxThreads = 4;
/** A thread without work ends after so many milliseconds. */
const idleMilliseconds = 5_000;
/** Heap of a thread; a file that needs more ends the thread, not the process. */
const maxHeapMegabytes = 1024;

/** A file to read, and how long that may take. */
export interface ParseJob {
  readonly request: ParseRequest;
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  /** Takes over a part of the result, if the thread sends it in parts. */
  readonly onPart?: (part: unknown) => void;
}

interface Waiting extends ParseJob {
  resolve(content: unknown): void;
  reject(error: unknown): void;
}

/** Threads that read files off the event loop. They keep the process alive only while they work. */
export class ParseThreads {
  readonly #entry: URL;
  readonly #threads: ParseThread[] = [];
  readonly #waiting: Waiting[] = [];

  /** @param entry the program of a thread: it answers a `ParseRequest` by `ParseReply`s. */
  constructor(entry: URL) {
    this.#entry = entry;
  }

  /** @throws INVALID_FILE, TOO_LARGE, MISSING_PEER, TIMEOUT, OUT_OF_MEMORY; the reason of the signal. */
  read(job: ParseJob): Promise<unknown> {
    job.signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...job, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    const count = Math.min(maxThreads, Math.max(1, availableParallelism() - 1));
    while (this.#waiting.length > 0) {
      let free = this.#threads.find(({ isFree }) => isFree);
      if (free === undefined && this.#threads.length < count) {
        free = new ParseThread(this.#entry, (ended) => this.#threads.splice(this.#threads.indexOf(ended), 1));
        this.#threads.push(free);
      }
      if (free === undefined) return;
      const { resolve, reject, ...job } = this.#waiting.shift() as Waiting;
      free
        .read(job)
        .then(resolve, reject)
        .finally(() => this.#next());
    }
  }
}

/** One thread, which reads one file at a time. */
class ParseThread {
  readonly #worker: Worker;
  readonly #onEnd: (thread: ParseThread) => void;
  #settle: ((result: unknown, failed: boolean) => void) | undefined;
  #onPart: ParseJob['onPart'];
  #idle: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(entry: URL, onEnd: (thread: ParseThread) => void) {
    this.#onEnd = onEnd;
    this.#worker = new Worker(entry, {
      // Options of the process, such as --input-type, may not be valid for a worker.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMegabytes },
      // The libraries warn about damaged files.
      stdout: true,
      stderr: true,
    });
    this.#worker.on('message', (reply: ParseReply) => {
      if ('part' in reply) {
        this.#onPart?.(reply.part);
        // What else is waiting comes between two parts.
        setImmediate(() => this.#worker.postMessage(nextPart));
      } else if ('content' in reply) this.#settle?.(reply.content, false);
      else {
        const { code, message, hint, details } = reply.error;
        this.#settle?.(new SemanticIndexError(code, message, { hint, details }), true);
      }
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(undefined));
    this.#worker.unref();
  }

  get isFree(): boolean {
    return this.#settle === undefined && !this.#hasEnded;
  }

  read({ request, timeout, signal, onPart }: ParseJob): Promise<unknown> {
    clearTimeout(this.#idle);
    this.#onPart = onPart;
    return new Promise((resolve, reject) => {
      const abort = (): void => this.#end(signal?.reason);
      const timer = setTimeout(() => this.#end(tooSlow(timeout)), timeout);
      signal?.addEventListener('abort', abort, { once: true });
      this.#settle = (result, failed) => {
        this.#settle = undefined;
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#rest();
        if (failed) reject(result);
        else resolve(result);
      };
      if (signal?.aborted === true) return abort();
      this.#worker.ref();
      const { buffer } = request.bytes;
      this.#worker.postMessage(request, buffer instanceof ArrayBuffer ? [buffer] : []);
    });
  }

  #rest(): void {
    if (this.#hasEnded) return;
    this.#worker.unref();
    this.#idle = setTimeout(() => this.#end(undefined), idleMilliseconds);
    this.#idle.unref();
  }

  /** Ends the thread, whatever it does. */
  #end(reason: unknown): void {
    this.#stop();
    void this.#worker.terminate();
    this.#settle?.(reason, true);
  }

  #stop(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#idle);
    this.#onEnd(this);
  }

  #fail(cause: unknown): void {
    this.#stop();
    const isMemory = (cause as NodeJS.ErrnoException | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const hint = 'Check that it can be opened, and save it again.';
    this.#settle?.(
      isMemory
        ? new SemanticIndexError('TOO_LARGE', `reading it takes more than ${maxHeapMegabytes} MB of memory`, {
            hint: 'Split the file, or leave it out.',
          })
        : invalidFile(`reading it ended the thread: ${String((cause as Error)?.message ?? 'no reason')}`, hint, cause),
      true,
    );
  }
}

function tooSlow(timeout: number): SemanticIndexError {
  return new SemanticIndexError('TIMEOUT', `reading it took longer than ${(timeout / 1000).toLocaleString('en')} s`, {
    hint: 'Raise `timeout`, split the file, or leave it out.',
  });
}

const shared = new ParseThreads(new URL('./parse-worker.js', import.meta.url));

/** Reads a file in a thread of this process. @throws as {@link ParseThreads.read}. */
export async function readInThread(job: ParseJob): Promise<ParsedContent> {
  return (await shared.read(job)) as ParsedContent;
}
