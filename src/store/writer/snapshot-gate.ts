/**
 * Keeps writes out while snapshots are open. A database in memory has one connection and no read transactions: a snapshot is one
 * point in time because writes wait for it. Snapshots opened later wait for waiting writes, so neither side starves.
 */
export class SnapshotGate {
  #open = 0;
  #writes: (() => void)[] = [];
  #snapshots: (() => void)[] = [];

  /** Waits for earlier writes, then keeps later ones out until `leave`. */
  async enter(): Promise<void> {
    if (this.#writes.length > 0) await new Promise<void>((resolve) => this.#snapshots.push(resolve));
    else this.#open++;
  }

  leave(): void {
    if (--this.#open > 0) return;
    const writes = this.#writes;
    this.#writes = [];
    for (const write of writes) write();
    const snapshots = this.#snapshots;
    this.#snapshots = [];
    // Counted here: a write between this and the continuation of `enter` has to wait.
    this.#open += snapshots.length;
    for (const resume of snapshots) resume();
  }

  /** Runs synchronous work while no snapshot is open. */
  exclusively<T>(work: () => T): Promise<Awaited<T>> {
    return new Promise((resolve, reject) => {
      const run = (): void => {
        try {
          resolve(work() as Awaited<T>);
        } catch (error) {
          reject(error);
        }
      };
      if (this.#open === 0) run();
      else this.#writes.push(run);
    });
  }
}
