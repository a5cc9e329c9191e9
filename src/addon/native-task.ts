import type { LongWorkOptions, Progress } from '../types.js';
import { addon } from './addon.js';

/** Progress and cancellation of long native work. */
export interface NativeTask {
  cancel(): void;
  readonly done: number;
  readonly total: number;
}

type NativeTaskOptions = { [K in keyof LongWorkOptions]?: LongWorkOptions[K] | undefined };

/** Time between two reports of progress, in milliseconds. */
const REPORT_INTERVAL = 40;

/**
 * Runs native work under a caller's signal: an abort stops it and rejects with the signal's reason. `onProgress` is
 * called at most 25 times a second, and once at the end.
 */
export async function runNativeTask<T>(
  stage: string,
  options: NativeTaskOptions,
  start: (task: NativeTask) => Promise<T>,
): Promise<T> {
  const { signal, onProgress } = options;
  signal?.throwIfAborted();
  const task = new (addon().Task)();
  const cancel = () => task.cancel();
  let failure: { error: unknown } | undefined;
  const report = () => {
    if (failure !== undefined || onProgress === undefined) return;
    try {
      onProgress(progressOf(stage, task));
    } catch (error) {
      failure = { error };
      task.cancel();
    }
  };
  signal?.addEventListener('abort', cancel, { once: true });
  const timer = onProgress === undefined ? undefined : setInterval(report, REPORT_INTERVAL);
  try {
    const result = await start(task);
    report();
    // TypeScript does not see that `report` assigns.
    const thrown = failure as { error: unknown } | undefined;
    if (thrown !== undefined) throw thrown.error;
    return result;
  } catch (error) {
    const thrown = failure as { error: unknown } | undefined;
    if (thrown !== undefined) throw thrown.error;
    if ((error as { code?: unknown }).code === 'CANCELLED') signal?.throwIfAborted();
    throw error;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', cancel);
  }
}

/**
 * Runs native work that changes nothing, as `runNativeTask` does, and rejects also when the signal was aborted while the answer
 * was on its way: an aborted reading never resolves.
 */
export async function runNativeReading<T>(
  stage: string,
  options: NativeTaskOptions,
  start: (task: NativeTask) => Promise<T>,
): Promise<T> {
  const result = await runNativeTask(stage, options, start);
  options.signal?.throwIfAborted();
  return result;
}

function progressOf(stage: string, task: NativeTask): Progress {
  const { done, total } = task;
  return total > 0 ? { stage, done: Math.min(done, total), total } : { stage, done };
}
