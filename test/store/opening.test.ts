import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SemanticIndex } from '../../src/index.js';
import { longestTurn } from '../embed/longest-turn.js';

const count = 60_000;
const left = 100;

test('an index of which most was deleted opens without blocking, and without what was deleted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'si-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const options = { provider: null, ann: { background: false } } as const;
  {
    await using index = await SemanticIndex.open(folder, options);
    const documents = Array.from({ length: count }, (_, id) => ({ id, text: '', vector: [1, id / count] }));
    await index.addDocuments(documents, { batchSize: 5_000 });
    await index.optimize({ full: true });
    for (let from = left; from < count; from += 5_000) {
      await index.deleteDocuments(documents.slice(from, from + 5_000).map(({ id }) => id));
    }
  }
  let shortest = Number.POSITIVE_INFINITY;
  // A garbage collection may fall into one round.
  for (let round = 0; round < 5 && shortest >= 8; round++) {
    let opened: SemanticIndex | undefined;
    const open = async (): Promise<void> => {
      opened = await SemanticIndex.open(folder, { ...options, readonly: true });
    };
    shortest = Math.min(shortest, await longestTurn(open()));
    await using index = opened as unknown as SemanticIndex;
    expect(await index.stats()).toMatchObject({ documents: left, segments: [{ dead: count - left }] });
    const { hits } = await index.search(new Float32Array([1, 1]), { k: left + 1 });
    expect(hits.map(({ id }) => id).sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: left }, (_, id) => id),
    );
  }
  expect(shortest).toBeLessThan(8);
}, 600_000);
