// Indexes documentation and answers questions about it, offline.
//
//   npm start                                 the packages installed in node_modules, and five questions about them
//   npm start -- DIR                          your own folder of Markdown and text, then a prompt
//   npm start -- DIR "question" ["question"]  the same, with the questions given
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, styleText } from 'node:util';
import { bundledProvider, type DocumentId, type Hit, SemanticIndex, SemanticIndexError } from 'semantic-index';
import { ask } from './quickstart/ask.js';
import {
  findPackageDocumentation,
  findTexts,
  readDocuments,
  type SectionMetadata,
} from './quickstart/collect-documents.js';
import { formatAnswer } from './quickstart/format-answer.js';
import { startProgress } from './quickstart/progress-line.js';
import { SectionCache } from './quickstart/section-cache.js';

const root = fileURLToPath(new URL('..', import.meta.url));

const help = `Indexes documentation and answers questions about it, offline.

Usage:
  npm start                                 index the documentation of the installed packages, answer five questions
  npm start -- DIR                          index the .md, .mdx and .txt files of a folder, then ask for questions
  npm start -- DIR "question" ["question"]  the same, and answer these questions

Options:
  --k NUMBER      hits for each question (default 3)
  --index FOLDER  where the index is kept (default: a folder below .cache/quickstart, named after DIR)
  --help          show this

A second run embeds only what has changed. Delete the directory of the index to start again.`;

/** ProxiedRequest as people ask, mostly in other words than the sections that answer use: that is what the vectors are for. */
const builtInQuestions = [
  'How can I turn speech into text?',
  'How can I keep counting once numbers get too large?',
  'What happens when the server shuts down?',
  'How do I report a security hole?',
  'Can strangers harm my visitors with malicious markup?',
];

const colors = process.stdout.isTTY === true && !process.env.NO_COLOR;
const width = Math.min(process.stdout.columns ?? 100, 120);

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

/** Where the index of a folder is kept: named after the folder, and apart from another folder of the same name. */
function indexFolder(folder: string | undefined): string {
  const cache = join(root, '.cache', 'quickstart');
  if (folder === undefined) return join(cache, 'packages');
  return join(cache, `${basename(folder)}-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`);
}

/** Brings the index up to date with the files: new and changed sections are embedded, vanished ones deleted. */
async function update(
  index: SemanticIndex<SectionMetadata>,
  cache: SectionCache,
  folder: string,
  files: readonly string[],
): Promise<void> {
  const started = Date.now();
  const progress = startProgress(files.length);
  let filesRead = 0;
  let sectionsStored = 0;
  const show = () => progress.update(filesRead, sectionsStored);
  const documents = readDocuments(folder, files, cache, () => {
    filesRead++;
    show();
  });
  const result = await index
    .addDocuments(documents, {
      onProgress({ done }) {
        sectionsStored = done;
        show();
      },
    })
    .finally(() => progress.stop());
  await cache.save();
  const present = new Set(result.ids);
  const vanished: DocumentId[] = [];
  let after: string | undefined;
  do {
    const page = await index.listDocuments({ limit: 1000, after });
    vanished.push(...page.documents.map(({ id }) => id).filter((id) => !present.has(id)));
    after = page.next;
  } while (after !== undefined);
  if (vanished.length > 0) await index.deleteDocuments(vanished);
  const changes = [
    `${result.added.toLocaleString('en')} new`,
    `${result.updated.toLocaleString('en')} changed`,
    `${vanished.length.toLocaleString('en')} removed`,
    `${result.embedded.toLocaleString('en')} embedded`,
  ];
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(
    `${count(result.ids.length, 'section')} of ${count(files.length, 'file')}: ${changes.join(', ')} in ${seconds} s`,
  );
}

/** Opens the index. One made with the bundled model of an earlier version gets vectors of the present one. */
async function open(place: string): Promise<SemanticIndex<SectionMetadata>> {
  try {
    return await SemanticIndex.open<SectionMetadata>(place);
  } catch (error) {
    if (!(error instanceof SemanticIndexError && error.code === 'SPACE_MISMATCH')) throw error;
  }
  console.log('The bundled model has changed: embedding all sections again');
  await using index = await SemanticIndex.open(place, { provider: null });
  await index.migrate(bundledProvider());
  return SemanticIndex.open<SectionMetadata>(place);
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
  const files = own === undefined ? await findPackageDocumentation(folder) : await findTexts(folder);
  if (files.length === 0) throw new Error(`There is no .md, .mdx or .txt file in ${folder}`);

  const place = values.index ?? indexFolder(own);
  console.log(`Indexing ${own === undefined ? 'the documentation of the packages in node_modules' : folder}`);
  await using index = await open(place);
  await update(index, await SectionCache.open(join(place, 'sections.json')), folder, files);
  console.log(`The index is in ${relative(process.cwd(), place)}`);

  const answer = async (question: string, mode: 'vector' | 'hybrid'): Promise<string> => {
    const hits: Hit<SectionMetadata>[] = (await index.search(question, { k, mode })).hits;
    return formatAnswer(hits, { width, colors });
  };
  // The built-in questions show what meaning alone finds; people also type names, which words find better.
  for (const question of own === undefined ? builtInQuestions : asked) {
    const line = `? ${question}`;
    console.log(
      `\n${colors ? styleText('bold', line) : line}\n${await answer(question, own === undefined ? 'vector' : 'hybrid')}`,
    );
  }
  const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true;
  if (interactive && asked.length === 0) await ask((question) => answer(question, 'hybrid'));
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
