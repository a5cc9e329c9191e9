import { createHash } from 'node:crypto';
import { mkdir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { type Hit, SemanticIndexError, type SyncResult, sync, type Where } from '../../index.js';
import { folderSources } from '../../rag/read-folder.js';
import { finiteNumber, positiveInteger } from '../arguments.js';
import { counted } from '../counted.js';
import { condition } from '../flags/where-condition.js';
import { formatOption, formattedHits, type HitFlags, hitsWithin, snippetFor, withJson } from '../hit-formats.js';
import { type ModelFlags, withModelFlags } from '../model-choice.js';
import { openIndex } from '../open-index.js';
import { perform, type Session, withCommonFlags } from '../perform.js';
import type { CommonFlags } from '../terminal.js';

interface FindFlags extends CommonFlags, ModelFlags, HitFlags {
  readonly k: number;
  readonly where?: Where;
  readonly minScore?: number;
  readonly index?: string;
  /** False after `--no-sync`. */
  readonly sync: boolean;
  readonly json?: boolean;
}

/** Files that could not be read and are named. */
const namedFiles = 3;

/** `find`: a folder is indexed when it is first asked, kept up to date, and searched. */
export function addFind(program: Command): void {
  const command = program
    .command('find')
    .description('search the files of a directory, which is indexed on first use; later only changed files are read')
    .argument('<question>', 'what to look for')
    .argument('[directory]', 'directory with the files', '.')
    .option('-k, --k <number>', 'maximum number of hits', positiveInteger, 10)
    .option('-w, --where <condition>', 'FIELD=VALUE (also !=, >, >=, <, <=) or JSON; several must all hold', condition)
    .option('--min-score <number>', 'minimum score of a hit', finiteNumber)
    .option('--full', 'print whole texts instead of snippets')
    .option('--max-tokens <number>', 'stop before this many tokens are printed', positiveInteger)
    .option('--index <directory>', 'where the index is kept; default: in the cache directory of the user')
    .option('--no-sync', 'do not look for changes of the files')
    .addOption(formatOption);
  withModelFlags(command);
  withCommonFlags(command, [
    'find "where are passwords checked?"',
    'find "how do I renew a certificate?" docs -k 3',
    'find "retry policy" src --format md --max-tokens 4000',
    'find "retry policy" --format paths | xargs wc -l',
  ]).action((question: string, folder: string, flags: FindFlags) =>
    perform(withJson(flags), async (session) => {
      const { terminal, signal } = session;
      await checkFolder(folder);
      const at = flags.index ?? (await indexOf(folder));
      await mkdir(at, { recursive: true });
      await using opened = await openIndex(at, flags, terminal, { create: true });
      const { index } = opened;
      if (flags.sync || (await index.count()) === 0) await freshen(opened.index, folder, at, session);
      // Snippets say where a hit is, also for programs.
      const snippet = snippetFor({ ...withJson(flags), snippet: flags.full !== true });
      const { k, where, minScore } = flags;
      const { hits: found } = await index.search(question, { k, where, minScore, snippet, signal });
      const hits = hitsWithin(
        found.map((hit) => inFolder(hit, folder)),
        flags,
      );
      terminal.result({ question, index: at, hits }, formattedHits(hits, terminal, flags));
      return undefined;
    }),
  );
}

async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new SemanticIndexError('IO', `find: ${folder} is not a directory`, {
    hint: 'semantic-index find "a question" DIRECTORY; with an index: semantic-index search INDEX "a question".',
  });
}

/** Where the index of a directory is kept: in the cache of the user, by its real path. */
async function indexOf(folder: string): Promise<string> {
  const real = await realpath(folder);
  const name = basename(real).replace(/[^\w.-]+/g, '-') || 'root';
  const hash = createHash('sha256').update(real).digest('hex').slice(0, 12);
  return join(cacheFolder(), 'semantic-index', 'find', `${name}-${hash}`);
}

function cacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (XDG_CACHE_HOME) return XDG_CACHE_HOME;
  if (process.platform === 'win32') return LOCALAPPDATA || join(homedir(), 'AppData', 'Local');
  return process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache');
}

/** Brings changes of the files into the index. Sources are named by their path in the directory. */
async function freshen(
  index: Parameters<typeof sync>[0],
  folder: string,
  at: string,
  { terminal, signal }: Session,
): Promise<void> {
  const began = performance.now();
  const bar = terminal.startProgress();
  let result: SyncResult;
  try {
    const sources = folderSources('find', folder, { signal }) as AsyncIterable<never>;
    result = await sync(index, sources, { cleanup: 'full', signal, onProgress: bar.onProgress });
  } finally {
    bar.stop();
  }
  const { added, updated, deleted, unchanged } = result.sources;
  if (added + updated + deleted > 0) {
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    terminal.note(
      `Indexed ${folder} in ${seconds} s: ${counted(added, 'new file')}, ${updated} changed, ${deleted} gone, ${unchanged} unchanged (${at})`,
    );
  }
  if (result.skipped.length > 0) {
    const shown = result.skipped.slice(0, namedFiles).map(({ id, reason }) => `${id} (${reason})`);
    const more = result.skipped.length - shown.length;
    terminal.note(`Not read: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`);
    const packages = new Set(result.skipped.flatMap(({ packages = '' }) => packages.split(' ')).filter(Boolean));
    if (packages.size > 0) terminal.note(`Some formats need: npm install ${[...packages].join(' ')}`);
  }
}

/** A hit whose source is the path from here. */
function inFolder(hit: Hit, folder: string): Hit {
  const { source } = hit.metadata;
  if (typeof source !== 'string') return hit;
  return { ...hit, metadata: { ...hit.metadata, source: join(folder, source) } };
}
