import type { Backend } from '../backend/backend.js';
import type { ReadSnapshot, SnapshotRequest } from '../backend/read-snapshot.js';

/** Attempts of a reading whose snapshots are lost with their connections. */
const maxAttempts = 6;

/**
 * Reads a snapshot of the newest commit, and closes it. When it is lost on the way, `read` is repeated on another one: it must not keep
 * results of earlier runs.
 */
export async function withSnapshot<T>(
  backend: Backend,
  request: SnapshotRequest,
  read: (snapshot: ReadSnapshot | undefined) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const snapshot = await backend.snapshot(request);
    try {
      return await read(snapshot);
    } catch (error) {
      if (attempt === maxAttempts || snapshot?.isLost !== true) throw error;
    } finally {
      snapshot?.close();
    }
  }
}
