import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/** The name of a lease owner, with its machine and process. */
export function leaseOwner(): string {
  return `${process.pid}@${hostname()}#${randomUUID()}`;
}

/**
 * Whether the process of an owner has ended: it ran on this machine and does not run any more. Wrong for two containers
 * with the same host name and separate processes; at worst both do the same work, and the token of the lease decides
 * which of them publishes.
 */
export function isDeadOwner(owner: string): boolean {
  const [, pid, host] = /^(\d+)@(.*)#[^#]*$/.exec(owner) ?? [];
  if (pid === undefined || host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
