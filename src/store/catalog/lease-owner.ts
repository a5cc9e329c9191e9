import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/** A name for a holder of leases that says which process of which machine it is. */
export function leaseOwner(): string {
  return `${process.pid}@${hostname()}#${randomUUID()}`;
}

/**
 * Whether the process behind an owner is known to be dead: it ran on this machine and runs no more. Where two
 * containers share a host name but no processes this errs, which costs double work at worst: the token of the lease
 * distinguishes them when they publish.
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
