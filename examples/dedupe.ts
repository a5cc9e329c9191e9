// Finds duplicates: exact, with different case and punctuation, or in other words. Shows the differences, and writes the texts
// that remain. Review them: texts that differ in a number or a name may be similar and mean different things.
//
//   npx tsx examples/dedupe.ts                         eighteen messages to a shop
//   npx tsx examples/dedupe.ts FILE                    your texts, one on each line
//   npx tsx examples/dedupe.ts FILE 0.9 REMAINING      another threshold, and a file for the lines that remain
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { adviseThreshold, findDuplicates, SemanticIndex } from 'semantic-index';

const sample = fileURLToPath(new URL('dedupe/tickets.txt', import.meta.url));
const [file = sample, threshold = '0.5', target] = process.argv.slice(2);
const lines = (await readFile(file, 'utf8')).split(/\r?\n/).filter((line) => line.trim() !== '');

await using index = await SemanticIndex.open(':memory:');
await index.addDocuments(lines.map((text, line) => ({ id: line + 1, text })));

// What lies in each band of probability? The threshold belongs where pairs stop to mean the same.
const { bands } = await adviseThreshold(index, { pairsPerBand: 1 });
console.log('probability  pairs  for example');
for (const { from, to, pairs, examples } of bands.filter((band) => band.pairs > 0).reverse()) {
  const [pair] = examples;
  const example = pair === undefined ? '' : `${pair.first.text}  ~  ${pair.second.text}`;
  console.log(`${from.toFixed(2)} to ${to.toFixed(2)}  ${String(pairs).padStart(4)}  ${example}`);
}

const found = await findDuplicates(index, { threshold: Number(threshold), representative: 'longest' });
console.log(`\n${found.ids.length} of ${found.documents} say what another one says, from ${threshold} up:`);
for (const { representative, duplicates } of found.groups) {
  console.log(`\n${representative}: ${lines[Number(representative) - 1]}`);
  for (const { id, kind, value } of duplicates) {
    const { removed, added } = await found.explain(id);
    const words = [...removed.map((run) => `-${run}`), ...added.map((run) => `+${run}`)].join('  ');
    console.log(`  ${String(id).padStart(2)}  ${kind.padEnd(10)} ${value.toFixed(2)}  ${words}`);
  }
}
const [loneliest] = found.outliers({ limit: 1 });
console.log(`\nleast like any other: ${lines[Number(loneliest?.id) - 1]}`);

const strict = found.rethreshold(Math.max(0.95, Number(threshold)));
console.log(`from ${strict.threshold} up: ${strict.ids.length}`);
if (target !== undefined) {
  const gone = new Set(found.ids);
  await writeFile(
    target,
    lines
      .filter((_, line) => !gone.has(line + 1))
      .join('\n')
      .concat('\n'),
  );
  console.log(`${lines.length - gone.size} lines are in ${target}`);
}
