import { documentsPerRead } from '../../backend/batch-sizes.js';
import type { LongWorkOptions } from '../../types.js';
import type { OperationContext } from '../context.js';

/** Embeds every stored text again and replaces its vector; the segments must be rebuilt afterwards. */
export async function reembedTexts(
  { backend, space }: OperationContext,
  { signal, onProgress }: LongWorkOptions,
): Promise<void> {
  const total = await backend.count();
  // Later documents are embedded by the call that adds them; following a writer would never end.
  const lastKey = await backend.lastKey();
  let done = 0;
  for (let after = 0; ; ) {
    signal?.throwIfAborted();
    const rows = await backend.textsAfter(after, documentsPerRead);
    const last = rows.at(-1);
    if (last === undefined || after >= lastKey) return;
    const texts = rows.map(({ text }) => text);
    for await (const landed of space.embed(texts, { role: 'document', signal })) {
      for (const vector of landed.vectors) space.checkDimensions(vector.length);
      const keys = landed.indices.map((index) => (rows[index] as { key: number }).key);
      if (landed.space !== undefined) await backend.replaceVectors(landed.space, keys, landed.vectors);
    }
    done += rows.length;
    after = last.key;
    onProgress?.({ stage: 'embed', done, total });
  }
}
