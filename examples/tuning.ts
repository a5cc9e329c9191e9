// How much is found, and what it costs: measures the recall of an index over real text, chooses a setting for a target,
// and validates it with held-out questions.
//
//   npx tsx examples/tuning.ts            lines of the documentation of the installed packages
//   npx tsx examples/tuning.ts FOLDER     lines of the Markdown files of a folder of yours
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SemanticIndex } from 'semantic-index';
import { glob } from 'tinyglobby';

const [folder = fileURLToPath(new URL('../node_modules', import.meta.url))] = process.argv.slice(2);
const [documentsWanted, questionsWanted] = [12_000, 200];

/** Lines of prose, each once: no headings, no code. */
async function* lines() {
  const seen = new Set<string>();
  const files = await glob('**/*.md', { cwd: folder, absolute: true });
  for (const file of files.sort()) {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      const text = line.trim();
      if (!/^[A-Z][^|<>{}]{60,}$/.test(text) || seen.has(text)) continue;
      seen.add(text);
      yield text;
      if (seen.size === documentsWanted + questionsWanted) return;
    }
  }
}

const place = await mkdtemp(join(tmpdir(), 'tuning-'));
try {
  const all: string[] = [];
  for await (const line of lines()) all.push(line);
  // Every so many lines one is held back: the beginning of it is a question that the index has never seen.
  const every = Math.max(2, Math.floor(all.length / questionsWanted));
  const questions = all.filter((_, n) => n % every === 0).map((line) => line.split(' ').slice(0, 6).join(' '));
  await using index = await SemanticIndex.open(join(place, 'index'), { ann: { background: false } });
  await index.addDocuments(all.filter((_, n) => n % every !== 0));
  await index.optimize({ full: true });
  console.log(`${await index.count()} lines, ${questions.length} questions held back`);

  const { tuning, curve } = await index.tune({ recall: 0.95 });
  console.log('\nsetting         recall   milliseconds');
  for (const { exact, searchK, recall, milliseconds } of curve) {
    const setting = exact ? 'exact' : `searchK ${searchK}`;
    console.log(`${setting.padEnd(15)} ${recall.toFixed(3)}    ${milliseconds.toFixed(2)}`);
  }
  const chosen = tuning.exact ? 'exact search' : `searchK ${tuning.searchK}`;
  console.log(`\nchosen for 0.95: ${chosen}, recall at least ${tuning.low.toFixed(3)}`);

  // Exact search knows the truth; from now on a search without options is done as was chosen.
  let [found, wanted] = [0, 0];
  for (const question of questions) {
    const { hits: truth } = await index.search(question, { k: 10, mode: 'vector', exact: true });
    const hits = new Set((await index.search(question, { k: 10, mode: 'vector' })).hits.map(({ id }) => id));
    found += truth.filter(({ id }) => hits.has(id)).length;
    wanted += truth.length;
  }
  console.log(`held against ${questions.length} questions it never saw: ${(found / wanted).toFixed(3)}`);
} finally {
  await rm(place, { recursive: true });
}
