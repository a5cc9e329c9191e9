// node faulted-open.mjs FOLDER STATE FIRST STRIDE ERRNO LENGTH LAST: opens an index that is there already and adds to it, while
// the n-th call fails, for every n from FIRST until no fault is left to give; prints a line of JSON for each.
import { deterministicProvider } from '../../../dist/embed/testing/deterministic-provider.js';
import { SemanticIndex } from '../../../dist/semantic-index.js';
import { FaultState } from './fault-state.mjs';

const [folder, path, first, , errno, length] = process.argv.slice(2);
const state = new FaultState(path);
const options = { provider: deterministicProvider({ dimensions: 16 }), ann: { background: false } };
const made = await SemanticIndex.open(`${folder}/index`, options);
await made.addDocuments(['the first']);
await made.close();

for (let n = Number(first); ; n++) {
  const outcomes = [];
  const faults = [];
  state.arm(n, Number(errno), Number(length));
  const index = await SemanticIndex.open(`${folder}/index`, options).catch((error) => void outcomes.push(error.code));
  const given = state.faults;
  state.disarm();
  if (outcomes.some((code) => code !== 'IO')) faults.push(`open rejects with ${outcomes}`);
  // What is open once, can be written.
  if (index !== undefined) {
    await index.addDocuments([`text ${n}`]).catch((error) => faults.push(`add rejects with ${error.stack}`));
    await index.close();
  }
  process.stdout.write(`${JSON.stringify({ n, call: state.last, given, outcomes, faults })}\n`);
  if (given === 0) break;
}
state.close();
