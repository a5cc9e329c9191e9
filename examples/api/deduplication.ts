// Examples of docs/api/deduplication.md. scripts/api-pages.mjs copies each part into the page; a test compares the output.
import { adviseThreshold, findDuplicates, SemanticIndex } from 'semantic-index';

await using index = await SemanticIndex.open('tickets');
await index.addDocuments([
  { id: 'a', text: 'How to reset your password' },
  { id: 'b', text: 'How can I reset my password?' },
  { id: 'c', text: 'how to reset your PASSWORD?' },
  { id: 'd', text: 'Opening hours' },
]);

//# findDuplicates
const duplicates = await findDuplicates(index);
for (const { representative, duplicates: members } of duplicates.groups) {
  console.log(
    representative,
    members.map(({ id, kind }) => `${id} ${kind}`),
  ); // => a [ 'c normalized', 'b near' ]
}
//# Duplicates.rethreshold
console.log(duplicates.rethreshold(0.999).groups[0]?.duplicates.map(({ id }) => id)); // => [ 'c' ]
//# Duplicates.explain
const explanation = await duplicates.explain('b');
console.log(explanation?.kind); // => near
//# Duplicates.outliers
const [outlier] = await duplicates.outliers({ limit: 1 });
console.log(outlier?.id); // => d
//# adviseThreshold
const advice = await adviseThreshold(index, {
  judge: ({ first, second }) => /password/i.test(first.text + second.text),
});
console.log(advice.bands.length > 0); // => true
//# Duplicates.apply
const applied = await duplicates.apply('delete');
console.log(applied, await index.count()); // => 2 2
