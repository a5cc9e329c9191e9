import type { Backend, ExportedBatch } from '../backend/backend.js';
import { SemanticIndexError } from '../errors.js';
import { type Placement, settled } from './placement.js';

/** All documents, shard after shard. It is one point in time for each shard: all begin before the first batch is returned. */
export async function* exportShards(
  placement: Placement,
  shards: readonly Backend[],
  size: number,
): AsyncGenerator<ExportedBatch> {
  const readings = shards.map((shard) => shard.exportBatches(size));
  try {
    const firsts = await settled(readings.map((reading) => reading.next()));
    const begun = firsts.flatMap(({ done, value }) => (done === true ? [] : [value]));
    if (new Set(begun.map(({ space }) => space.fingerprint)).size > 1) {
      throw new SemanticIndexError('BUSY', 'Some shards have moved to another model, others not yet', {
        hint: 'Export when the migration has ended. If it was interrupted, run `migrate` again.',
      });
    }
    const total = begun.reduce((sum, batch) => sum + batch.total, 0);
    const { space } = shards[0] as Backend;
    for (const [place, reading] of readings.entries()) {
      let next = firsts[place] as IteratorResult<ExportedBatch>;
      for (; next.done !== true; next = await reading.next()) {
        const documents = next.value.documents.map((one) => ({ ...one, key: placement.global(one.key, place) }));
        yield { ...next.value, documents, total, space: space ?? next.value.space };
      }
    }
  } finally {
    await Promise.all(readings.map((reading) => reading.return(undefined)));
  }
}
