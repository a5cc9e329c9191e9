import { SemanticIndexError } from '../../errors.js';
import { ModelThread } from './model-thread.js';
import type { TransformersSettings, WorkerVectors } from './transformers-messages.js';

/**
 * All models of the process are in one thread, which never ends: onnxruntime-node 1.14 damages memory when one of several threads
 * that have it ends, and cannot be loaded again once none has it ("Module did not self-register").
 */
const thread = new ModelThread(new URL('./transformers-worker.js', import.meta.url));
let clients = 0;

/** One model in the thread of models. Loads it at the first call; only pending calls keep the process alive. */
export class TransformersClient {
  readonly #settings: TransformersSettings;
  readonly #client = ++clients;
  readonly #pending = new Set<(error: unknown) => void>();
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
    const { answer, cancel } = thread.embed(this.#client, this.#settings, texts, pairs, urgent);
    const abort = (): void => cancel(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.#pending.add(cancel);
    try {
      return await answer;
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#pending.delete(cancel);
    }
  }

  /** Rejects pending calls with CLOSED, and frees the model. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const closed = new SemanticIndexError('CLOSED', 'The provider was closed during the call');
    for (const cancel of this.#pending) cancel(closed);
    await thread.close(this.#client);
  }
}
