import type { CatalogClient } from './catalog-client.js';

/** Runs a build in a catalog thread; aborting the signal cancels it and rejects with the reason of the signal. */
export async function cancellableBuild<T>(
  catalog: CatalogClient,
  signal: AbortSignal | undefined,
  build: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const cancel = (): void => void catalog.builder.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await build();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}
