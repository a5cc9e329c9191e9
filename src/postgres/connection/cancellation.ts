/** Milliseconds after which a statement that still runs is cancelled again. */
const cancelAgain = 50;

/**
 * Runs a statement, and cancels it on the server when a signal is aborted: again and again until it has ended, as a cancellation that
 * arrives before the statement does nothing.
 */
export async function cancellable<T>(
  signal: AbortSignal | undefined,
  cancel: () => Promise<unknown>,
  run: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  if (signal === undefined) return run();
  let timer: NodeJS.Timeout | undefined;
  let isDone = false;
  const onAbort = (): void => {
    // Where it fails, the statement ends by itself.
    cancel()
      .catch(() => {})
      .finally(() => {
        if (!isDone) timer = setTimeout(onAbort, cancelAgain);
      });
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await run();
  } finally {
    isDone = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
