import { Worker } from 'node:worker_threads';
import { SemanticIndexError } from '../../errors.js';
import type { FromWorker, ToWorker, TransformersSettings, WorkerVectors } from './transformers-messages.js';

interface Waiting {
  resolve(answer: WorkerVectors): void;
  reject(error: unknown): void;
}

/** A call in progress. */
interface ModelCall {
  readonly answer: Promise<WorkerVectors>;
  /** Ends the call in the thread, and rejects its answer. */
  cancel(reason: unknown): void;
}

/** The thread that has models. It is started by the first call, and again by the next one if it was lost. */
export class ModelThread {
  readonly #entry: URL;
  readonly #waiting = new Map<number, Waiting>();
  readonly #closing = new Map<number, () => void>();
  #worker: Worker | undefined;
  #calls = 0;

  constructor(entry: URL) {
    this.#entry = entry;
  }

  embed(
    client: number,
    settings: TransformersSettings,
    texts: readonly string[],
    pairs: readonly string[] | undefined,
    urgent: boolean,
  ): ModelCall {
    const call = ++this.#calls;
    this.#start();
    const answer = new Promise<WorkerVectors>((resolve, reject) => this.#waiting.set(call, { resolve, reject }));
    this.#post({ type: 'embed', call, client, settings, texts, pairs, urgent });
    this.#hold();
    return { answer, cancel: (reason) => this.#cancel(call, reason) };
  }

  /** Frees the model of a client. */
  async close(client: number): Promise<void> {
    if (this.#worker === undefined) return;
    const closed = new Promise<void>((resolve) => this.#closing.set(client, resolve));
    this.#post({ type: 'close', client });
    this.#hold();
    await closed;
  }

  #start(): void {
    if (this.#worker !== undefined) return;
    // Flags of the process, such as --input-type, may be invalid for a worker.
    const worker = new Worker(this.#entry, { execArgv: [] });
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', (code) => this.#lose(worker, new Error(`exit code ${code}`)));
    this.#worker = worker;
  }

  #receive(message: FromWorker): void {
    if (message.type === 'closed') {
      this.#closing.get(message.client)?.();
      this.#closing.delete(message.client);
    } else {
      const waiting = this.#waiting.get(message.call);
      this.#waiting.delete(message.call);
      if (message.type === 'vectors') waiting?.resolve(message);
      else {
        const { code, message: text, hint, stack } = message;
        const details = { workerStack: stack };
        waiting?.reject(new SemanticIndexError(code, text, { ...(hint !== undefined && { hint }), details }));
      }
    }
    this.#hold();
  }

  #cancel(call: number, reason: unknown): void {
    const waiting = this.#waiting.get(call);
    if (waiting === undefined) return;
    this.#waiting.delete(call);
    this.#post({ type: 'cancel', call });
    waiting.reject(reason);
    this.#hold();
  }

  #lose(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const message = `The worker thread of the model ended: ${(cause as Error).message}`;
    const hint = 'It may have run out of memory: lower `batchSize` or `maxTokens`.';
    for (const { reject } of this.#waiting.values()) {
      reject(new SemanticIndexError('PROVIDER_FAILED', message, { hint, cause }));
    }
    this.#waiting.clear();
    for (const closed of this.#closing.values()) closed();
    this.#closing.clear();
  }

  /** Keeps the process alive while something is awaited. */
  #hold(): void {
    if (this.#waiting.size + this.#closing.size > 0) this.#worker?.ref();
    else this.#worker?.unref();
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }
}
