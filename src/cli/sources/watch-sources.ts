import { existsSync, statSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Changes } from '../../files/folders/change-watcher.js';
import { SemanticIndexError } from '../../index.js';
import { counted } from '../counted.js';
import type { Terminal } from '../terminal.js';
import type { AddedSources } from './added-sources.js';
import { fixedPart } from './find-files.js';
import { formatOf } from './record-format.js';

const quietMilliseconds = 200;

/**
 * Adds the sources, then what changes in them, and deletes the chunks of files that vanish, until the signal aborts. The
 * watch begins before the first add, so that no change falls between the two. A change that cannot be added is reported, and the
 * watch goes on.
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
  const update = async ({ gone }: Changes): Promise<void> => {
    if (signal.aborted) return;
    try {
      await removeGone(gone, sources, terminal);
      const total = await sources.add(names);
      const { files, records, unreadable, undecodable, unparsed } = total;
      const { added = 0, updated = 0, deleted = 0 } = files?.chunks ?? {};
      const changes = added + updated + deleted + (records?.added ?? 0) + (records?.updated ?? 0);
      if (changes + unreadable.length + undecodable.length + unparsed.length > 0)
        terminal.result({ ...total, watching: true }, sources.describe(total));
    } catch (error) {
      if (!signal.aborted) terminal.fail(error);
    }
  };
  // The first add and those of changes come one after the other.
  let adding: Promise<void> = Promise.resolve();
  const { ChangeWatcher } = await import('../../files/folders/change-watcher.js');
  const watcher = new ChangeWatcher([...new Set(names.map(watchedFolder))], {
    debounce: quietMilliseconds,
    concerns: () => true,
    ignores: (path) => /(?:^|[\\/])(?:node_modules|\.[^.\\/][^\\/]*)(?:[\\/]|$)/.test(path),
    onChanges: (changes) => {
      adding = adding.then(() => update(changes));
      return adding;
    },
    onError: (error) => terminal.fail(error),
  });
  try {
    await watcher.ready;
    const first = sources.add(names);
    adding = first.then(
      () => {},
      () => {},
    );
    const total = await first;
    terminal.result({ ...total, watching: true }, sources.describe(total));
    terminal.note(`Watching ${names.join(', ')}. Ctrl-C ends it.`);
    if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  } finally {
    await watcher.close();
  }
}

/** Deletes the chunks of files that are gone. */
async function removeGone(gone: readonly string[], sources: AddedSources, terminal: Terminal): Promise<void> {
  for (const path of gone) {
    if (formatOf(path) !== undefined) continue;
    // It may be there again, or out of reach with its folder.
    const folder = await realpath(dirname(path)).catch(() => undefined);
    if (folder === undefined || existsSync(path)) continue;
    const chunks = await sources.remove(join(folder, basename(path)));
    if (chunks > 0)
      terminal.result({ removed: path, chunks }, [`${path} is gone: ${counted(chunks, 'chunk')} deleted`]);
  }
}

/** What to watch for a source: itself, or the folder that a pattern begins with. */
function watchedFolder(name: string): string {
  if (statSync(name, { throwIfNoEntry: false }) !== undefined) return name;
  return fixedPart(name);
}
