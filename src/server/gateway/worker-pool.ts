import { Agent } from 'node:http';

/** A worker that accepts requests of the gateway, and the connections to it that are kept open. */
export interface PooledWorker {
  readonly socketPath: string;
  readonly agent: Agent;
}

/**
 * Milliseconds for which a worker that broke a connection gets no requests: it has probably died, and its exit event
 * follows.
 */
const suspension = 1000;

/** The workers that answer, in turn. */
export class WorkerPool {
  readonly #all = new Map<string, PooledWorker>();
  readonly #suspended = new Set<PooledWorker>();
  readonly #waiting = new Set<() => void>();
  #turn = 0;

  add(socketPath: string): void {
    this.#all.set(socketPath, { socketPath, agent: new Agent({ keepAlive: true }) });
    this.#wake();
  }

  /** It is asked nothing more; what it is answering it may finish. */
  remove(socketPath: string): void {
    this.#all.delete(socketPath);
  }

  /** It cut a connection. */
  suspend(worker: PooledWorker): void {
    if (this.#suspended.has(worker)) return;
    this.#suspended.add(worker);
    setTimeout(() => {
      this.#suspended.delete(worker);
      this.#wake();
    }, suspension).unref();
  }

  /** The next in turn; undefined when `milliseconds` have passed and there was none, or the signal aborts. */
  async next(milliseconds: number, signal: AbortSignal): Promise<PooledWorker | undefined> {
    const end = performance.now() + milliseconds;
    for (;;) {
      const worker = this.#take();
      const left = end - performance.now();
      if (worker !== undefined || left <= 0 || signal.aborted) return worker;
      await new Promise<void>((resolve) => {
        const finish = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', finish);
          this.#waiting.delete(finish);
          resolve();
        };
        const timer = setTimeout(finish, left + 1);
        signal.addEventListener('abort', finish, { once: true });
        this.#waiting.add(finish);
      });
    }
  }

  #take(): PooledWorker | undefined {
    const able = [...this.#all.values()].filter((worker) => !this.#suspended.has(worker));
    return able[this.#turn++ % Math.max(1, able.length)];
  }

  #wake(): void {
    for (const finish of [...this.#waiting]) finish();
  }
}
