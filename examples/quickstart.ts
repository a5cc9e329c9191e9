// Indexes documentation and answers questions about it, offline.
//
//   npm start                                 the packages installed in node_modules, and five questions about them
//   npm start -- DIR                          your own folder, then a prompt
//   npm start -- DIR "question" ["question"]  the same, with the questions given
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, styleText } from 'node:util';
import {
  bundledProvider,
  type ChunkMetadata,
  readFolder,
  SemanticIndex,
  SemanticIndexError,
  type SourceDocument,
  sync,
} from 'semantic-index';
import { ask } from './quickstart/ask.js';
import { formatAnswer } from './quickstart/format-answer.js';
import { packageDocumentation } from './quickstart/package-documentation.js';
import { ProgressLine } from './quickstart/progress-line.js';

const root = fileURLToPath(new URL('..', import.meta.url));

const help = `Indexes documentation and answers questions about it, offline.

Usage:
  npm start                                 index the documentation of the installed packages, answer five questions
  npm start -- DIR                          index the files of a folder, then ask for questions
  npm start -- DIR "question" ["question"]  the same, and answer these questions

Options:
  --k NUMBER      hits for each question (default 3)
  --index FOLDER  where the index is kept (default: a folder below .cache/indexes, named after DIR)
  --help          show this

A second run embeds only what has changed. Delete the directory of the index to start again.`;

/** Asked as people ask, mostly in other words than the texts that answer use: that is what the vectors are for. */
const builtInQuestions = [
  'How can I turn speech into text?',
  'How do I react when a file changes on disk?',
  'What happens when the server shuts down?',
  'How do I report a security hole?',
  'Is it dangerous to show HTML from users?',
];

const colors = process.stdout.isTTY === true && !process.env.NO_COLOR;
const width = Math.min(process.stdout.columns ?? 100, 120);

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

/** Where the index of a folder is kept: named after the folder, and apart from another folder of the same name. */
function indexFolder(folder: string | undefined): string {
  const cache = join(root, '.cache', 'indexes');
  if (folder === undefined) return join(cache, 'packages');
  return join(cache, `${basename(folder)}-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`);
}

/** Brings the index up to date with the files: new and changed chunks are embedded, vanished ones deleted. */
async function update(index: SemanticIndex<ChunkMetadata>, sources: AsyncIterable<SourceDocument>): Promise<void> {
  const started = Date.now();
  const progress = new ProgressLine();
  const {
    sources: files,
    chunks,
    embedded,
    skipped,
  } = await sync(index, sources, {
    cleanup: 'full',
    onProgress({ stage, done }) {
      if (stage === 'sync') progress.update(done);
    },
  }).finally(() => progress.stop());
  const changes = [
    `${chunks.added.toLocaleString('en')} new`,
    `${chunks.deleted.toLocaleString('en')} removed`,
    `${embedded.toLocaleString('en')} embedded`,
  ];
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const all = count(chunks.added + chunks.updated + chunks.unchanged, 'chunk');
  const read = count(files.added + files.updated + files.unchanged, 'file');
  console.log(`${all} of ${read}: ${changes.join(', ')} in ${seconds} s`);
  for (const { id, reason } of skipped) console.log(`  left out: ${id}: ${reason}`);
}

/** Opens the index. One made with the bundled model of an earlier version gets vectors of the present one. */
async function open(place: string): Promise<SemanticIndex<ChunkMetadata>> {
  try {
    return await SemanticIndex.open<ChunkMetadata>(place);
  } catch (error) {
    if (!(error instanceof SemanticIndexError && error.code === 'SPACE_MISMATCH')) throw error;
  }
  console.log('The bundled model has changed: embedding all texts again');
  await using index = await SemanticIndex.open(place, { provider: null });
  await index.migrate(bundledProvider());
  return SemanticIndex.open<ChunkMetadata>(place);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      k: { type: 'string', default: '3' },
      index: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(help);
    return;
  }
  const k = Number(values.k);
  const [directory, ...asked] = positionals;
  if (directory !== undefined && !statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Error(`"${directory}" is not a folder. Questions come after it: npm start -- DIR "question"`);
  }
  const own = directory === undefined ? undefined : resolve(directory);
  const folder = own ?? join(root, 'node_modules');
  const place = values.index ?? indexFolder(own);
  console.log(`Indexing ${own === undefined ? 'the documentation of the packages in node_modules' : folder}`);
  await using index = await open(place);
  await update(index, own === undefined ? packageDocumentation(folder) : readFolder(folder));
  console.log(`The index is in ${relative(process.cwd(), place)}`);

  const answer = async (question: string): Promise<string> => {
    const { hits } = await index.search(question, { k, snippet: { maxTokens: 60 } });
    return formatAnswer(hits, { width, colors });
  };
  for (const question of own === undefined ? builtInQuestions : asked) {
    const line = `? ${question}`;
    console.log(`\n${colors ? styleText('bold', line) : line}\n${await answer(question)}`);
  }
  const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true;
  if (interactive && asked.length === 0) await ask(answer);
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader has seen enough: npm start | head
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  await main();
} catch (error) {
  const hint = SemanticIndexError.is(error) ? `\n${error.hint}` : '';
  console.error(`${error instanceof Error ? error.message : error}${hint}`);
  process.exitCode = 1;
}
