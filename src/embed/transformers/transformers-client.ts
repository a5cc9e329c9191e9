import { Worker } from 'node:worker_threads';
import { SemanticIndexError } from '../../errors.js';
import type { FromWorker, ToWorker, TransformersSettings } from './transformers-messages.js';

/**
 * The first worker of this process that was closed. It stays, without its model, and does not keep the process alive: onnxruntime
 * cannot be loaded again once no thread has it ("Module did not self-register").
 */
let remaining: Worker | undefined;

/** Reply of the worker to a call. */
export type WorkerVectors = Extract<FromWorker, { type: 'vectors' }>;

interface Waiting {
  resolve(answer: WorkerVectors): void;
  reject(error: unknown): void;
}

/** Client of the worker thread that holds the model. Starts it on demand; only pending calls keep the process alive. */
export class TransformersClient {
  readonly #settings: TransformersSettings;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #calls = 0;
  #closing: Promise<void> | undefined;

  constructor(settings: TransformersSettings) {
    this.#settings = settings;
  }

  async embed(
    texts: readonly string[],
    urgent: boolean,
    signal: AbortSignal | undefined,
    pairs?: readonly string[],
  ): Promise<WorkerVectors> {
    signal?.throwIfAborted();
    if (this.#closing !== undefined) throw new SemanticIndexError('CLOSED', 'The provider is closed');
    const call = ++this.#calls;
    const worker = this.#start();
    let cancel = (): void => {};
    try {
      return await new Promise<WorkerVectors>((resolve, reject) => {
        this.#waiting.set(call, { resolve, reject });
        cancel = () => {
          this.#post({ type: 'cancel', call });
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', cancel, { once: true });
        worker.ref();
        this.#post({ type: 'embed', call, texts, pairs, urgent });
      });
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#waiting.delete(call);
      if (this.#waiting.size === 0) this.#worker?.unref();
    }
  }

  /** Rejects pending calls with CLOSED, frees the model and ends the worker, unless it is the first one of this process. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#fail(new SemanticIndexError('CLOSED', 'The provider was closed during the call'));
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.ref();
    const stays = remaining === undefined;
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', () => resolve());
      if (stays) worker.on('message', ({ type }: FromWorker) => type === 'closed' && resolve());
    });
    if (stays) {
      remaining = worker;
      worker.once('exit', () => {
        remaining = undefined;
      });
    }
    this.#post({ type: 'close', stays });
    await ended;
    worker.unref();
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    // Flags of the process, such as --input-type, may be invalid for a worker.
    const worker = new Worker(new URL('./transformers-worker.js', import.meta.url), {
      workerData: this.#settings,
      execArgv: [],
    });
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', (code) => this.#lose(worker, new Error(`exit code ${code}`)));
    this.#worker = worker;
    return worker;
  }

  #receive(message: FromWorker): void {
    if (message.type === 'closed') return;
    const waiting = this.#waiting.get(message.call);
    if (message.type === 'vectors') {
      waiting?.resolve(message);
      return;
    }
    const { code, message: text, hint, stack } = message;
    waiting?.reject(
      new SemanticIndexError(code, text, { ...(hint === undefined ? {} : { hint }), details: { workerStack: stack } }),
    );
  }

  #lose(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    // The next call starts a new worker.
    this.#worker = undefined;
    this.#fail(
      new SemanticIndexError('PROVIDER_FAILED', `The worker thread of the model ended: ${(cause as Error).message}`, {
        hint: 'It may have run out of memory: lower `batchSize` or `maxTokens`.',
        cause,
      }),
    );
  }

  #fail(error: SemanticIndexError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }
}
