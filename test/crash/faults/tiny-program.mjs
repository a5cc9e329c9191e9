// node tiny-program.mjs FOLDER: fills the file system of the folder with documents, makes room, and looks at what is there.
import { rmSync, writeFileSync } from 'node:fs';
import { deterministicProvider } from '../../../dist/embed/testing/deterministic-provider.js';
import { SemanticIndexError } from '../../../dist/errors.js';
import { SemanticIndex } from '../../../dist/semantic-index.js';

const [folder] = process.argv.slice(2);
const ballast = [1, 2].map((n) => `${folder}/ballast-${n}`);
for (const file of ballast) writeFileSync(file, Buffer.alloc(512 * 1024, 1));
const options = { provider: deterministicProvider({ dimensions: 32 }), ann: { sealAt: 500, trees: 4, threads: 1 } };
const events = [];
const index = await SemanticIndex.open(`${folder}/index`, {
  ...options,
  onEvent: ({ type, error }) => events.push([type, error?.code]),
});
const refused = [];
const held = new Set();
// Until nothing at all goes in any more, then a few times over.
for (let batch = 0, failures = 0; failures < 5 && batch < 1_000; batch++) {
  const documents = Array.from({ length: 40 }, (_, n) => ({
    id: batch * 40 + n,
    text: `text ${batch} ${n} ${'filler '.repeat(20)}`,
  }));
  try {
    await index.addDocuments(documents);
    for (const { id } of documents) held.add(id);
  } catch (error) {
    failures++;
    refused.push(SemanticIndexError.is(error) ? error.code : String(error?.stack));
  }
}
const attempt = async (work) => {
  try {
    await work();
  } catch (error) {
    refused.push(SemanticIndexError.is(error) ? error.code : String(error?.stack));
  }
};
await attempt(() => index.optimize({ full: true }));
await attempt(() => index.optimize());
await attempt(() => index.backup(`${folder}/copy`));
await attempt(() => index.rebuild());
const duringSearch = (await index.search('text', { k: 10_000, mode: 'vector', exact: true })).hits.length;
const duringCount = await index.count();
rmSync(ballast[0]);
// Room again, in the same process.
await index.deleteDocuments([...held].slice(0, 40));
for (const id of [...held].slice(0, 40)) held.delete(id);
await index.addDocuments([{ id: 'later', text: 'room again' }]);
held.add('later');
await index.close();
// An index on a disk that is full to the last page cannot be opened: SQLite wants room for its log.
rmSync(ballast[1]);
const second = await SemanticIndex.open(`${folder}/index`, options);
const listed = new Set();
let after;
do {
  const page = await second.listDocuments({ limit: 1_000, after });
  for (const { id } of page.documents) listed.add(id);
  after = page.next;
} while (after !== undefined);
const report = await second.validate({ level: 'full' });
const lost = [...held].filter((id) => !listed.has(id));
const failed = report.checks.filter(({ passed, severity }) => !passed && severity !== 'info');
await second.close();
process.stdout.write(
  JSON.stringify({ held: held.size, listed: listed.size, lost, refused, duringSearch, duringCount, failed, events }),
);
