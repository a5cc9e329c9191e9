import { existsSync, statSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { watch } from 'chokidar';
import { SemanticIndexError } from '../../index.js';
import { counted } from '../counted.js';
import type { Terminal } from '../terminal.js';
import type { AddedSources } from './added-sources.js';
import { fixedPart } from './find-files.js';
import { formatOf } from './record-format.js';

const quietMilliseconds = 200;

/**
 * Adds the sources, then what changes in them, and deletes the chunks of files that vanish, until the signal aborts. The
 * watch begins before the first add, so that no change falls between the two. Changes that come together are added
 * together; one that cannot be added is reported, and the watch goes on.
 *
 * @throws INVALID_ARGUMENT when stdin is among the sources; what the first add throws.
 */
export async function watchSources(
  names: readonly string[],
  sources: AddedSources,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  if (names.includes('-')) {
    throw new SemanticIndexError('INVALID_ARGUMENT', 'stdin cannot be watched', { hint: 'Leave out --watch.' });
  }
  const folders = new Set(names.map(watchedFolder));
  const watcher = watch([...folders], {
    ignoreInitial: true,
    awaitWriteFinish: { stabilityThreshold: quietMilliseconds, pollInterval: 50 },
    ignored: (path) => /(?:^|[\\/])(?:node_modules|\.[^.\\/][^\\/]*)(?:[\\/]|$)/.test(path),
  });
  let due: NodeJS.Timeout | undefined;
  const ready = new Promise<void>((resolve) => watcher.once('ready', resolve));
  const first = ready.then(async () => {
    const total = await sources.add(names);
    terminal.result({ ...total, watching: true }, sources.describe(total));
  });
  // Its error is thrown below.
  let working = first.catch(() => {});
  const gone = new Set<string>();
  const update = async (): Promise<void> => {
    const paths = [...gone];
    gone.clear();
    try {
      for (const path of paths) {
        // It may be there again, or out of reach with its folder.
        const folder = await realpath(dirname(path)).catch(() => undefined);
        if (folder === undefined || existsSync(path)) continue;
        const chunks = await sources.remove(join(folder, basename(path)));
        if (chunks > 0)
          terminal.result({ removed: path, chunks }, [`${path} is gone: ${counted(chunks, 'chunk')} deleted`]);
      }
      const total = await sources.add(names);
      const { files, records, unreadable, undecodable } = total;
      const changes =
        (files?.chunks.added ?? 0) +
        (files?.chunks.updated ?? 0) +
        (files?.chunks.deleted ?? 0) +
        (records?.added ?? 0) +
        (records?.updated ?? 0);
      if (changes + unreadable.length + undecodable.length > 0)
        terminal.result({ ...total, watching: true }, sources.describe(total));
    } catch (error) {
      if (!signal.aborted) terminal.fail(error);
    }
  };
  watcher.on('all', (event, path) => {
    if (signal.aborted || event.endsWith('Dir')) return;
    if (event === 'unlink' && formatOf(path) === undefined) gone.add(path);
    clearTimeout(due);
    due = setTimeout(() => {
      working = working.then(update);
    }, quietMilliseconds);
  });
  watcher.on('error', (error) => terminal.fail(error));
  try {
    await first;
    terminal.note(`Watching ${names.join(', ')}. Ctrl-C ends it.`);
    if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  } finally {
    clearTimeout(due);
    await watcher.close();
    await working;
  }
}

/** What to watch for a source: itself, or the folder that a pattern begins with. */
function watchedFolder(name: string): string {
  if (statSync(name, { throwIfNoEntry: false }) !== undefined) return name;
  return fixedPart(name);
}
