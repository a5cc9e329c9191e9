import type { Backend } from '../backend/backend.js';
import { settled } from './placement.js';
import { checkAlone } from './shard-record.js';
import { ShardedBackend } from './sharded-backend.js';

/**
 * Opens backends as the shards of one index, in their order, and makes it where they are empty. Closes what is open when it fails.
 *
 * @throws INVALID_ARGUMENT when they are not the shards of one index in their order; NOT_AN_INDEX; what opening them throws.
 */
export async function openShards(
  opens: readonly (() => Promise<Backend>)[],
  readonly: boolean,
): Promise<ShardedBackend> {
  const opened: Backend[] = [];
  try {
    const shards = await settled(
      opens.map(async (open) => {
        const shard = await open();
        opened.push(shard);
        return shard;
      }),
    );
    return await ShardedBackend.open(shards, readonly);
  } catch (error) {
    await Promise.allSettled(opened.map((shard) => shard.close()));
    throw error;
  }
}

/** The backend, which is closed when it is a shard. @throws INVALID_ARGUMENT */
export async function refuseShard<B extends Backend>(backend: B): Promise<B> {
  try {
    await checkAlone(backend);
    return backend;
  } catch (error) {
    await backend.close();
    throw error;
  }
}
