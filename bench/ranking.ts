// What boosts, groups, facets and phrases add to a search: npx tsx bench/ranking.ts --help
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { type SearchOptions, SemanticIndex } from 'semantic-index';
import { addon } from '../dist/addon/addon.js';
import type { NativeSearchRequest, NativeSearchResult } from '../dist/addon/native-search.js';
import type { NativeTask } from '../dist/addon/native-task.js';
import { benchFlags } from './flags.js';
import { randomNumbers } from './generated-vectors.js';
import { loadCorpus, loadQuestions, prepareCorpus } from './search/corpus.js';

const flags = benchFlags(
  `Asks questions among English paragraphs with and without boosts and groups, in turns, and prints how long a whole search and its
native part take: the least time of each question in all rounds, on average. Then the recall of searches by vector against exact ones with
the same boosts, and phrases, with how long they hold the event loop. DATA as for bench/search.ts.`,
  {
    documents: [100_000, 'paragraphs of about 75 words'],
    questions: [150, 'questions of SQuAD'],
    rounds: [10, 'rounds'],
    recall: [100, 'questions whose hits are compared with those of exact searches'],
    folder: [undefined, 'keep the index here, or use the one that is there'],
  },
  { operands: 'DATA' },
);
const [data = ''] = flags.operands;
const here = fileURLToPath(new URL('.', import.meta.url));
const prepared = await prepareCorpus(data, join(here, '.cache'), flags.documents, 1_000);
const corpus = loadCorpus(prepared);
const all = loadQuestions(prepared).questions.map(({ text }) => text);
const questions = all.slice(0, flags.questions);
const years = 5;
const [now, day] = [Date.UTC(2026, 5, 1), 86_400_000];

/** What was asked of the kernel, as often as one wants to hear the answer. */
interface Asked {
  answer(): void;
}

let recorded: Asked[] | undefined;
const { SearchSnapshot } = addon();
class RecordingSnapshot extends SearchSnapshot {
  override searchHere(...request: NativeSearchRequest): NativeSearchResult {
    recorded?.push({ answer: () => super.searchHere(...request) });
    return super.searchHere(...request);
  }

  override search(...request: [...NativeSearchRequest, NativeTask]): Promise<NativeSearchResult> {
    const asked = request.slice(0, -1) as NativeSearchRequest;
    recorded?.push({ answer: () => super.searchHere(...asked) });
    return super.search(...request);
  }
}
Object.assign(addon(), { SearchSnapshot: RecordingSnapshot });

const kept = flags.folder ?? mkdtempSync(join(tmpdir(), 'semantic-index-ranking-'));
if (flags.folder === undefined) process.on('exit', () => rmSync(kept, { recursive: true, force: true }));
const isThere = existsSync(join(kept, 'index.db'));
const index = await SemanticIndex.open(kept);
if (!isThere) {
  const random = randomNumbers(1);
  const documents = corpus.paragraphs.map(({ id, text, source, number, bucket }) => {
    const date = new Date(now - random() * years * 365 * day).toISOString();
    return { id, text, metadata: { source, number, bucket, date, stars: Math.floor(random() ** 4 * 2_000) } };
  });
  for (let first = 0; first < documents.length; first += 20_000) {
    await index.addDocuments(documents.slice(first, first + 20_000));
  }
  await index.optimize();
}

const variants: Readonly<Record<string, SearchOptions>> = {
  none: {},
  'half-life of a week': { boost: [{ field: 'date', halfLife: '1w', now }] },
  'of a month': { boost: [{ field: 'date', halfLife: '30d', now }] },
  'of a year': { boost: [{ field: 'date', halfLife: '1y', now }] },
  scale: { boost: [{ field: 'stars', scale: 100, factor: 2 }] },
  where: { boost: [{ where: { source: 'squad' }, factor: 1.5 }] },
  'all three': {
    boost: [
      { field: 'date', halfLife: '1y', now },
      { field: 'stars', scale: 100, factor: 2 },
      { where: { source: 'squad' }, factor: 1.5 },
    ],
  },
  'groupBy, a value for each': { groupBy: 'number', groupSize: 1 },
  'groupBy, 3 values': { groupBy: 'source', groupSize: 3 },
};

/** The least time of each call so far, in microseconds. */
class LeastTimes {
  readonly #times: number[] = [];

  note(place: number, began: number): void {
    const time = (performance.now() - began) * 1e3;
    this.#times[place] = Math.min(this.#times[place] ?? time, time);
  }

  /** Divided by the number of questions. */
  get mean(): number {
    return this.#times.reduce((sum, time) => sum + time, 0) / questions.length;
  }
}

console.log('| mode | search | whole µs | times | native µs | times | native calls |\n|---|---|---|---|---|---|---|');
for (const mode of ['text', 'hybrid', 'vector'] as const) {
  const measured = Object.entries(variants).map(([name, options]) => ({
    name,
    options: { mode, ...options },
    asked: [] as Asked[],
    whole: new LeastTimes(),
    native: new LeastTimes(),
  }));
  for (const variant of measured) {
    recorded = variant.asked;
    for (const question of questions) await index.search(question, variant.options);
    recorded = undefined;
  }
  for (let round = 0; round < flags.rounds; round++) {
    for (const { options, asked, whole, native } of measured) {
      for (const [place, question] of questions.entries()) {
        const began = performance.now();
        await index.search(question, options);
        whole.note(place, began);
      }
      for (const [place, one] of asked.entries()) {
        const began = performance.now();
        one.answer();
        native.note(place, began);
      }
    }
  }
  const [plain] = measured as [(typeof measured)[number]];
  for (const { name, asked, whole, native } of measured) {
    const figures = [
      [whole.mean, plain.whole.mean],
      [native.mean, plain.native.mean],
    ].map(([own, base]) => `${(own as number).toFixed(0)} | ${((own as number) / (base as number)).toFixed(2)}`);
    console.log(`| ${mode} | ${name} | ${figures.join(' | ')} | ${(asked.length / questions.length).toFixed(2)} |`);
  }
}

console.log('\n| search by vector | recall@10 |\n|---|---|');
for (const [name, options] of Object.entries(variants)) {
  if (options.groupBy !== undefined) continue;
  let [found, wanted] = [0, 0];
  for (const text of all.slice(0, flags.recall)) {
    const exact = await index.search(text, { mode: 'vector', exact: true, ...options });
    const { hits } = await index.search(text, { mode: 'vector', ...options });
    const best = new Set(exact.hits.map(({ id }) => id));
    found += hits.filter(({ id }) => best.has(id)).length;
    wanted += best.size;
  }
  console.log(`| ${name} | ${(found / wanted).toFixed(4)} |`);
}

console.log(
  '\n| phrase | documents | texts read | mode | ms of processor | longest hold of the event loop, ms |\n|---|---|---|---|---|---|',
);
for (const phrase of ['one of the', 'it is a', 'of the united', 'the of', 'is of to', 'in the of']) {
  for (const mode of ['text', 'hybrid'] as const) {
    const query = `"${phrase}"`;
    const options = { mode, syntax: 'operators', k: 10 } as const;
    await index.search(query, options);
    const delays = monitorEventLoopDelay({ resolution: 1 });
    const began = process.cpuUsage();
    delays.enable();
    const { hits, phrases } = await index.search(query, options);
    delays.disable();
    const { user, system } = process.cpuUsage(began);
    const spent = (user + system) / 1e3;
    const texts = phrases === undefined ? 'all that decide' : `${phrases.read} of ${phrases.of}`;
    console.log(
      `| ${query} | ${hits.length} | ${texts} | ${mode} | ${spent.toFixed(1)} | ${(delays.max / 1e6).toFixed(1)} |`,
    );
  }
}
await index.close();
