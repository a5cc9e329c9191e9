import { Worker } from 'node:worker_threads';
import type { ThreadMessage } from './catalog-messages.js';

/** An index in a folder has two threads; a validation or an export takes another. */
const keptThreads = 4;
/** Until an unused thread ends, in milliseconds. */
const keptFor = 2000;

/** The unused threads, each with what stops keeping it. */
const idle = new Map<Worker, () => void>();

/**
 * A thread for a catalog: one whose catalog was closed lately, or a new one. Starting one takes a tenth of a second of processor
 * time, most of it for loading modules; a program that opens and closes indexes in turn pays it once.
 */
export function takeThread(): Worker {
  const [kept] = idle;
  if (kept === undefined) {
    // Options of the process, such as --input-type, may not be valid for a worker.
    return new Worker(new URL('./catalog-worker.js', import.meta.url), { execArgv: [] });
  }
  const [worker, forget] = kept;
  forget();
  return worker;
}

/** Keeps a thread whose catalog is closed for the next one, or ends it: after two seconds, or when four others are kept. */
export function keepThread(worker: Worker): void {
  worker.unref();
  if (idle.size >= keptThreads) {
    end(worker);
    return;
  }
  const timer = setTimeout(() => {
    forget();
    end(worker);
  }, keptFor).unref();
  const forget = (): void => {
    clearTimeout(timer);
    worker.off('error', forget).off('exit', forget);
    idle.delete(worker);
  };
  worker.on('error', forget).on('exit', forget);
  idle.set(worker, forget);
}

function end(worker: Worker): void {
  // No call waits for it: an error while it ends must not end the process.
  worker.on('error', () => {});
  worker.postMessage({ kind: 'end' } satisfies ThreadMessage);
}
