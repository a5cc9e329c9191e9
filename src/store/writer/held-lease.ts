import type { Lease } from '../catalog/lease-table.js';
import type { CatalogClient } from './catalog-client.js';

/** Time until a lease ends whose holder renews it no more. Three renewals fit into it, so a single failed one does no harm. */
export const leaseMilliseconds = 30_000;

/** A named lease of this process. */
export interface LeaseRequest {
  readonly writer: CatalogClient;
  readonly name: string;
  readonly owner: string;
  /** Called when a renewal or the release fails: the lease then ends by itself. */
  readonly onError: (error: unknown) => void;
}

/** Takes a lease; undefined when another process holds it. */
export async function acquireLease({ writer, name, owner }: LeaseRequest): Promise<Lease | undefined> {
  const token = await writer.leases.acquire(name, owner, leaseMilliseconds);
  return token === 0 ? undefined : { name, owner, token };
}

/** Does some work under a lease that was acquired before: renews it meanwhile, and releases it. */
export async function whileHeld<T>(request: LeaseRequest, work: () => Promise<T>): Promise<T> {
  const { writer, name, owner, onError } = request;
  const heartbeat = setInterval(() => {
    acquireLease(request).catch(onError);
  }, leaseMilliseconds / 3);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    // The result of the work matters more than a failed release.
    await writer.leases.release(name, owner).catch(onError);
  }
}
