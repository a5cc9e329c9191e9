// Examples of docs/api/rag.md. scripts/api-pages.mjs copies each part into the page; a test compares the output.
import { mkdirSync, writeFileSync } from 'node:fs';
import {
  type ChunkMetadata,
  chunkDocuments,
  chunkMarkdown,
  chunkRecursively,
  chunkSentences,
  chunkTokens,
  estimateTokens,
  formatPassage,
  parseFile,
  Retriever,
  readFolder,
  readPassage,
  SemanticIndex,
  sync,
  syncFolder,
  watch,
} from 'semantic-index';

mkdirSync('guides');
writeFileSync(
  'guides/returns.md',
  '# Returns\n\nSend the parcel back within 30 days.\n\n## Refunds\n\nWe refund the price.\n',
);

//# readFolder
for await (const { id, text } of readFolder('guides')) console.log(id, text.length);
// => returns.md 82
//# parseFile
const file = await parseFile(Buffer.from('# Returns\n\nSend it back.\n'), { name: 'returns.md' });
console.log(file.blocks[1]?.headings, file.blocks[1]?.startLine); // => [ 'Returns' ] 3
//# syncFolder
await using folderIndex = await SemanticIndex.open<ChunkMetadata>(':memory:');
const synced = await syncFolder(folderIndex, 'guides');
console.log(synced.sources.added, synced.skipped.length); // => 1 0
//# watch
await using watched = watch(folderIndex, 'guides');
console.log((await watched.ready).sources.unchanged); // => 1
await watched.close();
//# readPassage
const { text: refunds, startLine, endLine } = await readPassage(folderIndex, 'guides/returns.md', { lines: [5, 7] });
console.log(startLine, endLine, JSON.stringify(refunds)); // => 5 7 "## Refunds\n\nWe refund the price."
//# sync
await using index = await SemanticIndex.open<ChunkMetadata>('guides-index');
const { sources, chunks, embedded } = await sync(index, readFolder('guides'), { cleanup: 'full' });
console.log(sources.added, chunks.added, embedded); // => 1 2 2
//# new Retriever
const retriever = new Retriever(index, { maxTokens: 500, k: 1 });
//# Retriever.retrieve
const context = await retriever.retrieve('When do you refund the price?');
console.log(context.text);
// => [1] returns.md › Returns › Refunds (lines 1-7)
// => # Returns
// =>
// => Send the parcel back within 30 days.
// =>
// => ## Refunds
// =>
// => We refund the price.
//# formatPassage
const [passage] = context.passages;
if (passage !== undefined) console.log(formatPassage(passage).split('\n')[0]);
// => [1] returns.md › Returns › Refunds (lines 1-7)
//# chunkDocuments
const documents = chunkDocuments({ id: 'returns.md', text: '# Returns\n\nWe refund the price.' });
console.log(documents[0]?.metadata?.chunk.headings); // => [ 'Returns' ]
//# chunkMarkdown
const markdown = chunkMarkdown('# Returns\n\nSend it back.\n\n# Delivery\n\nThe next day.', { maxTokens: 50 });
console.log(markdown.map(({ headings }) => headings)); // => [ [ 'Returns' ], [ 'Delivery' ] ]
//# chunkRecursively
const parts = chunkRecursively('First paragraph.\n\nSecond paragraph.', { maxTokens: 4 });
console.log(parts.map(({ text }) => text)); // => [ 'First paragraph.', 'Second paragraph.' ]
//# chunkSentences
const sentences = chunkSentences('One is here. Two is here. Three.', { sentences: 2 });
console.log(sentences.map(({ text }) => text)); // => [ 'One is here. Two is here.', 'Three.' ]
//# chunkTokens
const pieces = chunkTokens('one two three four five', { maxTokens: 2 });
console.log(pieces.map(({ text }) => text)); // => [ 'one two', 'three four', 'five' ]
//# estimateTokens
console.log(estimateTokens('Send the parcel back within 30 days.')); // => 8
