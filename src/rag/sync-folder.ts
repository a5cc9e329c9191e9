import { posix } from 'node:path';
import { SemanticIndexError } from '../errors.js';
import { describe, resolveOptions } from '../options.js';
import type { SemanticIndex } from '../semantic-index.js';
import type { ChunkMetadata } from './chunking/chunk-documents.js';
import type { SkippedSource, UnreadSource } from './file-source.js';
import { type SyncFolderOptions, syncDefaults, syncFolderDefaults } from './options.js';
import { folderSources } from './read-folder.js';
import { type Sources, type SyncResult, sync } from './sync.js';

/**
 * Synchronizes the chunks in an index with the files of a directory: adds new files, updates changed ones, and deletes
 * the chunks of files that are gone. A file whose bytes have not changed is not parsed again. Sources are named by the
 * path of the directory and the path in it, such as `docs/guide.md`; sources elsewhere are kept. Files that cannot be
 * read are listed in `skipped`, with the reason and the next step; what the index has of them is kept.
 *
 * @throws IO when the directory cannot be read, INVALID_ARGUMENT, UNKNOWN_OPTION, and the errors of `addDocuments`.
 * @example
 * ```ts
 * const { sources, skipped } = await syncFolder(index, 'docs');
 * ```
 */
export async function syncFolder(
  index: SemanticIndex<ChunkMetadata> | SemanticIndex,
  folder: string,
  options?: SyncFolderOptions,
): Promise<SyncResult> {
  const resolved = resolveOptions('syncFolder', options, syncFolderDefaults);
  if (typeof folder !== 'string' || folder === '') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `syncFolder: expected the path of a directory, got ${describe(folder)}`,
    );
  }
  const base = posix.normalize(folder.replaceAll('\\', '/')).replace(/(?<=.)\/$/, '');
  const prefix = base === '.' ? '' : base === '/' ? '/' : `${base}/`;
  const isSyncOption = (name: string): boolean => Object.hasOwn(syncDefaults, name);
  const entries = Object.entries(resolved);
  const reading = Object.fromEntries(entries.filter(([name]) => !isSyncOption(name)));
  const syncing = Object.fromEntries(entries.filter(([name]) => isSyncOption(name)));
  const { signal, keep } = resolved;
  async function* sources(): AsyncGenerator<UnreadSource | SkippedSource> {
    for await (const source of folderSources('syncFolder', folder, { ...reading, signal })) {
      yield { ...source, id: `${prefix}${source.id}` };
    }
  }
  const isElsewhere = (source: string): boolean =>
    prefix === '' ? /^(?:\/|\.\.|[a-z][a-z0-9+.-]*:)/i.test(source) : !source.startsWith(prefix);
  return sync(index, sources() as Sources<never>, {
    ...syncing,
    keep: async (source) => isElsewhere(source) || (await keep?.(source)) === true,
  });
}
