import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bundledProvider } from 'semantic-index';

/** A paragraph with its metadata. `number` counts paragraphs, `bucket` is `number % 1000`: one value of it is a thousandth. */
export interface Paragraph {
  readonly id: string;
  readonly text: string;
  readonly source: string;
  readonly number: number;
  readonly bucket: number;
}

/** A question and the id of the paragraph that answers it. */
export interface Question {
  readonly text: string;
  readonly relevant: string;
}

/** Paragraphs, and their vectors under the bundled model (packed). */
export interface Corpus {
  readonly paragraphs: readonly Paragraph[];
  readonly vectors: Float32Array;
  readonly dimensions: number;
}

/** Questions about some of the paragraphs. */
export interface Questions {
  /** Those that are measured. */
  readonly questions: readonly Question[];
  /** Those asked before: others, about other paragraphs. */
  readonly warmUp: readonly Question[];
}

const [fewestWords, mostWords] = [40, 110];
const embeddedAtOnce = 1_024;

function rows<T>(path: string): T[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** Lines of a file compressed by xz. */
async function* linesOf(path: string): AsyncGenerator<string> {
  const child = spawn('xz', ['-dc', path], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    yield* createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
  } finally {
    child.kill();
  }
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Cuts long texts into pieces of about 75 words, at sentences; drops short ones. */
function* pieces(text: string): Generator<string> {
  const words = wordsOf(text);
  if (words.length < fewestWords) return;
  if (words.length <= mostWords) {
    yield words.join(' ');
    return;
  }
  let piece: string[] = [];
  for (const word of words) {
    piece.push(word);
    if ((piece.length >= 65 && /[.!?]["')\]]?$/.test(word)) || piece.length >= mostWords) {
      yield piece.join(' ');
      piece = [];
    }
  }
  if (piece.length >= fewestWords) yield piece.join(' ');
}

async function* texts(data: string): AsyncGenerator<{ text: string; source: string }> {
  const wikipedia = join(data, 'train/wikipedia.jsonl.xz');
  for await (const line of linesOf(wikipedia)) {
    const { sections } = JSON.parse(line) as { sections: { paragraphs: string[] }[] };
    for (const paragraph of sections.flatMap(({ paragraphs }) => paragraphs)) {
      for (const text of pieces(paragraph)) yield { text, source: 'wikipedia' };
    }
  }
  for await (const line of linesOf(join(data, 'train/books.txt.xz'))) {
    for (const text of pieces(line)) yield { text, source: 'books' };
  }
}

/** So many of a list, from all parts of it. */
export function evenly<T>(list: readonly T[], count: number): T[] {
  const every = Math.max(1, Math.floor(list.length / count));
  return list.filter((_, position) => position % every === 0).slice(0, count);
}

/**
 * English paragraphs: those of SQuAD, which the questions are about, then Wikipedia, then books, until there are `count`. Made
 * once for each version of the bundled model, whose vectors they have, and kept in `cache`.
 */
export async function prepareCorpus(data: string, cache: string, count: number, questions: number): Promise<string> {
  const provider = bundledProvider();
  const model = createHash('sha256').update(provider.id).digest('hex').slice(0, 12);
  const folder = join(cache, `search-${count}-${questions}-${model}`);
  if (existsSync(join(folder, 'warm-up.json'))) return folder;
  execFileSync('xz', ['--version'], { stdio: 'ignore' });
  const making = `${folder}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  const squad = rows<{ id: string; text: string }>(join(data, 'eval/squad/paragraphs.jsonl')).slice(0, count);
  // Some engines take only letters, digits and signs such as `-` in an id.
  const ids = new Map(squad.map(({ id }, position) => [id, `squad-${position}`]));
  const asked = rows<{ question: string; para: string }>(join(data, 'eval/squad/questions.jsonl')).filter(({ para }) =>
    ids.has(para),
  );
  const chosen = evenly(asked, questions);
  const measured = new Set(chosen.map(({ para }) => para));
  const others = asked.filter(({ para }) => !measured.has(para));
  for (const [name, list] of [
    ['questions', chosen],
    ['warm-up', others],
  ] as const) {
    const written = list.map(({ question, para }) => ({ text: question, relevant: ids.get(para) }));
    writeFileSync(join(making, `${name}.json`), JSON.stringify(written));
  }

  const [lines, vectors] = [
    createWriteStream(join(making, 'paragraphs.jsonl')),
    createWriteStream(join(making, 'vectors.f32')),
  ];
  const written = (stream: NodeJS.WritableStream, chunk: string | Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => stream.write(chunk, (error) => (error ? reject(error) : resolve())));
  let number = 0;
  let batch: Paragraph[] = [];
  const flush = async (): Promise<void> => {
    const { vectors: embedded } = await provider.embed(
      batch.map(({ text }) => text),
      { role: 'document' },
    );
    for (const vector of embedded) await written(vectors, new Uint8Array(Float32Array.from(vector).buffer));
    await written(lines, batch.map((paragraph) => `${JSON.stringify(paragraph)}\n`).join(''));
    batch = [];
  };
  const add = async (id: string, text: string, source: string): Promise<void> => {
    batch.push({ id, text, source, number, bucket: number % 1_000 });
    number++;
    if (batch.length === embeddedAtOnce) await flush();
  };
  for (const { id, text } of squad) await add(ids.get(id) as string, text, 'squad');
  for await (const { text, source } of texts(data)) {
    if (number >= count) break;
    await add(`p${number}`, text, source);
  }
  if (number < count) throw new Error(`${data} has ${number} paragraphs; ask for no more with --documents`);
  if (batch.length > 0) await flush();
  await Promise.all([lines, vectors].map((stream) => new Promise<void>((resolve) => stream.end(() => resolve()))));
  rmSync(folder, { recursive: true, force: true });
  renameSync(making, folder);
  return folder;
}

/** Reads what `prepareCorpus` made. */
export function loadCorpus(folder: string): Corpus {
  const bytes = readFileSync(join(folder, 'vectors.f32'));
  const vectors = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const paragraphs = rows<Paragraph>(join(folder, 'paragraphs.jsonl'));
  return { paragraphs, vectors, dimensions: vectors.length / paragraphs.length };
}

/** The same for the questions: a process that asks holds nothing else. */
export function loadQuestions(folder: string): Questions {
  const read = (name: string): Question[] =>
    JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Question[];
  return { questions: read('questions'), warmUp: read('warm-up') };
}
