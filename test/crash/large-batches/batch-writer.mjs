// Adds batches that go through text threads until it is killed, and prints a line for each that was acknowledged:
// node batch-writer.mjs INDEX FIRST
import { writeSync } from 'node:fs';
import { SemanticIndex } from '../../../dist/index.js';
import { batchOf } from './batches.mjs';

const [directory, first] = process.argv.slice(2);
const index = await SemanticIndex.open(directory, { ann: { sealAt: 1500 } });
for (let batch = Number(first); ; batch++) {
  await index.addDocuments(batchOf(batch), { batchSize: 256 });
  // Once it is written it is in the pipe, whatever happens to this process.
  writeSync(1, `${batch}\n`);
}
