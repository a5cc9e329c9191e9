import type { CatalogClient } from './catalog-client.js';

/** How long a lease lasts without a sign of life of its holder. */
export const leaseMilliseconds = 30_000;

/** A lease that this process has taken, by name and owner. */
export interface HeldLease {
  readonly writer: CatalogClient;
  readonly name: string;
  readonly owner: string;
  /** Told of a sign of life or a return that failed: such a lease ends by itself. */
  readonly onError: (error: unknown) => void;
}

/** Does some work under a lease that was taken already, shows signs of life meanwhile, and gives it back. */
export async function whileHeld<T>({ writer, name, owner, onError }: HeldLease, work: () => Promise<T>): Promise<T> {
  const heartbeat = setInterval(() => {
    writer.leases.acquire(name, owner, leaseMilliseconds).catch(onError);
  }, leaseMilliseconds / 3);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    // What the work came to matters more than that the lease could not be given back.
    await writer.leases.release(name, owner).catch(onError);
  }
}
