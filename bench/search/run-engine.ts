// One engine in a process of its own: `build` fills an empty folder, `search` opens it and asks, `cold` asks by one mode and nothing
// before, `more` adds documents that the built index does not have. Prints one line of JSON.
import { bundledProvider } from 'semantic-index';
import { quantile } from '../quantile.js';
import { type Corpus, evenly, loadCorpus, loadQuestions, type Question, type Questions } from './corpus.js';
import { type Filter, type Found, folderBytes, type Mode, type OpenEngine, type SearchEngine } from './engine.js';

/** Times of one kind of search, in milliseconds, and how good its answers were. */
export interface SearchFigures {
  readonly asked: number;
  readonly p50: number;
  readonly p99: number;
  /** Processor time of all threads for one search, on average. */
  readonly cpu: number;
  readonly ndcg: number;
  readonly recall: number;
}

/** What building came to. */
export interface BuildFigures {
  /** Seconds until all documents could be searched, and until everything that makes searches fast was built. */
  readonly addSeconds: number;
  readonly buildSeconds: number;
  readonly bytes: number;
  readonly peakBytes: number;
}

/** The first searches of a process, in milliseconds; all of one mode. */
export interface ColdFigures {
  readonly openMilliseconds: number;
  readonly firstMilliseconds: number;
  /** Median of the first hundred. */
  readonly hundred: number;
  /** Of all questions that are measured. */
  readonly p50: number;
  readonly p99: number;
}

/** What searching came to. */
export interface AskFigures {
  readonly openMilliseconds: number;
  readonly firstMilliseconds: number;
  readonly byMode: Partial<Record<Mode, SearchFigures>>;
  /** Hybrid searches (text, where there are none) behind a filter, by its share of the documents. */
  readonly filtered: Readonly<Record<string, SearchFigures>>;
  /** Searches a second with 16 at once. */
  readonly concurrent: number;
  /** Bytes resident beyond those before opening. */
  readonly residentBytes: number;
}

const k = 10;
const atOnce = 16;
/** Seconds after which no further question is asked. */
const patience = Number(process.env.BENCH_PATIENCE ?? 30);
const filters: readonly Filter[] = [{ below: 1 }, { below: 10 }, { below: 100 }];

/** Binary relevance with one right answer: the discount of its rank. */
function gain(found: readonly Found[], { relevant }: Question): number {
  const rank = found.findIndex(({ id }) => id === relevant);
  return rank < 0 ? 0 : 1 / Math.log2(rank + 2);
}

type Search = (question: Question) => Promise<readonly Found[]>;

/** Asks one question after the other, and calls `onFound` with the time of each. */
async function askAll(
  questions: readonly Question[],
  search: Search,
  onFound: (milliseconds: number, found: readonly Found[], question: Question) => void,
): Promise<void> {
  const began = performance.now();
  for (const question of questions) {
    if (performance.now() - began > patience * 1e3) break;
    const asked = performance.now();
    const found = await search(question);
    onFound(performance.now() - asked, found, question);
  }
}

/** Asks the questions of the warm-up, then those that are measured. */
async function ask({ questions, warmUp }: Questions, search: Search): Promise<SearchFigures> {
  await askAll(warmUp, search, () => {});
  const times: number[] = [];
  let [ndcg, right] = [0, 0];
  const before = process.cpuUsage();
  await askAll(questions, search, (milliseconds, found, question) => {
    times.push(milliseconds);
    const value = gain(found, question);
    ndcg += value;
    if (value > 0) right++;
  });
  const { user, system } = process.cpuUsage(before);
  const asked = times.length;
  return {
    asked,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    cpu: (user + system) / 1e3 / asked,
    ndcg: ndcg / asked,
    recall: right / asked,
  };
}

async function askCold(opened: number, questions: readonly Question[], search: Search): Promise<ColdFigures> {
  const times: number[] = [];
  await askAll(questions, search, (milliseconds) => times.push(milliseconds));
  return {
    openMilliseconds: opened,
    firstMilliseconds: times[0] as number,
    hundred: quantile(times.slice(0, 100), 0.5),
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
  };
}

async function throughput(questions: readonly Question[], search: Search): Promise<number> {
  let [next, done] = [0, 0];
  const began = performance.now();
  const isOver = (): boolean => performance.now() - began > Math.min(patience, 10) * 1e3;
  const client = async (): Promise<void> => {
    while (!isOver()) {
      await search(questions[next++ % questions.length] as Question);
      done++;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  return done / ((performance.now() - began) / 1e3);
}

/** Adds the first so many documents of a corpus; `suffix` makes other ids of theirs. */
async function add(
  { batchSize }: SearchEngine,
  opened: OpenEngine,
  { paragraphs, vectors, dimensions }: Corpus,
  count: number,
  suffix: string,
): Promise<void> {
  for (let first = 0; first < count; first += batchSize) {
    const end = Math.min(count, first + batchSize);
    const batch = paragraphs.slice(first, end);
    await opened.add({
      paragraphs: suffix === '' ? batch : batch.map((paragraph) => ({ ...paragraph, id: `${paragraph.id}${suffix}` })),
      vectors: vectors.subarray(first * dimensions, end * dimensions),
    });
  }
}

async function build(
  engine: SearchEngine,
  opened: OpenEngine,
  corpusFolder: string,
  folder: string,
): Promise<BuildFigures> {
  const corpus = loadCorpus(corpusFolder);
  const began = performance.now();
  await add(engine, opened, corpus, corpus.paragraphs.length, '');
  const added = performance.now();
  await opened.build();
  const built = performance.now();
  return {
    addSeconds: (added - began) / 1e3,
    buildSeconds: (built - added) / 1e3,
    bytes: engine.persistent ? folderBytes(folder) : 0,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

type Phase = 'build' | 'search' | 'both' | 'cold' | 'more';

async function run(name: string, corpusFolder: string, folder: string, phase: Phase, detail: string): Promise<object> {
  const { engine } = (await import(`./engines/${name}.js`)) as { engine: SearchEngine };
  const { questions, warmUp } = loadQuestions(corpusFolder);
  const provider = bundledProvider();
  const embed = async (text: string): Promise<Float32Array> => {
    const { vectors } = await provider.embed([text], { role: 'query' });
    return vectors[0] as Float32Array;
  };
  const { length: dimensions } = await embed('the model is loaded');
  global.gc?.();
  const before = process.memoryUsage().rss;
  const opening = performance.now();
  const opened = await engine.open(folder, dimensions);
  const openMilliseconds = performance.now() - opening;
  const none = new Float32Array(dimensions);
  const searching =
    (mode: Mode, filter?: Filter): Search =>
    async ({ text }) =>
      opened.search(mode, text, engine.embeds || mode === 'text' ? none : await embed(text), k, filter);
  if (phase === 'cold') {
    const cold = await askCold(openMilliseconds, questions, searching(detail as Mode));
    await opened.close();
    return cold;
  }
  if (phase === 'more') {
    await add(engine, opened, loadCorpus(corpusFolder), Number(detail), '-more');
    await opened.close();
    return {};
  }
  const facts = {
    library: engine.library,
    modes: engine.modes,
    fusion: engine.fusion,
    persistent: engine.persistent,
    built: phase === 'search' ? undefined : await build(engine, opened, corpusFolder, folder),
  };
  if (phase === 'build') {
    await opened.close();
    return facts;
  }
  const best: Mode = engine.modes.includes('hybrid') ? 'hybrid' : 'text';
  const first = performance.now();
  await searching(best)(questions[0] as Question);
  const firstMilliseconds = performance.now() - first;
  const asked = { questions, warmUp: evenly(warmUp, Number(detail)) };
  const byMode: Partial<Record<Mode, SearchFigures>> = {};
  for (const mode of engine.modes) byMode[mode] = await ask(asked, searching(mode));
  const filtered: Record<string, SearchFigures> = {};
  for (const filter of filters) filtered[filter.below / 1_000] = await ask(asked, searching(best, filter));
  const concurrent = await throughput(questions, searching(best));
  global.gc?.();
  const residentBytes = process.memoryUsage().rss - before;
  await opened.close();
  const figures: AskFigures = { openMilliseconds, firstMilliseconds, byMode, filtered, concurrent, residentBytes };
  return { ...facts, asked: figures };
}

const [name, corpusFolder, folder, phase, detail] = process.argv.slice(2) as [string, string, string, Phase, string];
process.stdout.write(`\n${JSON.stringify(await run(name, corpusFolder, folder, phase, detail))}\n`);
