// Several indexes searched as one, such as one for each year or each customer. Hits of the same model have scores of the same
// scale by vector, so they can be merged by score; words are weighed within each index, so hybrid scores cannot.
//
//   npx tsx examples/shards.ts
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundledProvider, type Hit, SemanticIndex } from 'semantic-index';

const folder = mkdtempSync(join(tmpdir(), 'shards-'));
const provider = bundledProvider();
const texts = {
  2023: ['The parcel was refunded.', 'A new warehouse was opened in spring.'],
  2024: ['Returns are free within 30 days.', 'Orders leave the next morning.'],
  2025: ['Invoices come by mail.', 'Who sends goods back gets the money back.'],
};

const shards = await Promise.all(
  Object.entries(texts).map(async ([year, lines]) => {
    const index = await SemanticIndex.open(join(folder, year), { provider });
    await index.addDocuments(
      lines.map((text, line) => ({ id: `${year}-${line}`, text, metadata: { year: Number(year) } })),
    );
    return index;
  }),
);

/** The best `k` hits of all shards: each is asked for as many, and the lists are merged. */
async function searchAll(query: string, k: number): Promise<Hit[]> {
  // Embedded once: the vector goes to every shard.
  const { vectors } = await provider.embed([query], { role: 'query' });
  const found = await Promise.all(
    shards.map((shard) => shard.search(vectors[0] as Float32Array, { k }).then(({ hits }) => hits)),
  );
  return found
    .flat()
    .sort((a, b) => b.score - a.score)
    .slice(0, k);
}

for (const { id, score, text } of await searchAll('send something back and be refunded', 3)) {
  console.log(`${score.toFixed(3)}  ${id}  ${text}`);
}
await Promise.all(shards.map((shard) => shard.close()));
rmSync(folder, { recursive: true });
