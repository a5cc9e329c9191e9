import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crashPoint } from '../crash-points.js';
import { SemanticIndexError } from '../errors.js';
import type { LongWorkOptions } from '../types.js';
import { Catalog } from './catalog/catalog.js';
import { leaseOwner } from './catalog/lease-owner.js';
import {
  entryAt,
  fileFacts,
  indexPaths,
  ioError,
  setModified,
  syncDirectory,
  syncFile,
  syncPath,
} from './directory/files.js';
import { isOwnFolder } from './directory/segment-directory.js';
import { isSegmentName, segmentFiles } from './directory/segment-names.js';
import type { CatalogClient } from './writer/catalog-client.js';
import { acquireLease, type LeaseRequest, whileHeld } from './writer/held-lease.js';

/** Leases with such a name keep the files of segments that are replaced. */
export const backupLease = 'backup:';

/** Does some work while nothing removes files of segments that are replaced meanwhile. */
export async function whileFilesAreKept<T>(writer: CatalogClient, work: () => Promise<T>): Promise<T> {
  const owner = leaseOwner();
  const lease: LeaseRequest = { writer, name: `${backupLease}${owner}`, owner, onError: () => {} };
  await writer.leases.forgetEnded(backupLease);
  await acquireLease(lease);
  return whileHeld(lease, work);
}

/**
 * Writes a copy of an index that is in use into a new folder: the catalog as it is at one moment, and the segments that it
 * names. The folder appears under its name only when it is complete and durable. Nothing removes files of segments while
 * the lease `backupLease` is held; without it (a reader may not take one) a segment that is replaced meanwhile can be
 * missing in the copy, which is rebuilt when the copy is opened.
 *
 * @param copyCatalog writes the catalog to a path.
 * @throws INVALID_ARGUMENT when the target exists, IO.
 */
export async function writeBackup(
  segments: string | undefined,
  target: string,
  copyCatalog: (path: string) => Promise<void>,
  { signal, onProgress }: LongWorkOptions,
): Promise<void> {
  signal?.throwIfAborted();
  if ((await fileFacts(target)) !== undefined) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `${target} exists already`, {
      hint: 'A backup never overwrites anything; choose a new directory.',
    });
  }
  const partial = `${target}.partial-${randomBytes(4).toString('hex')}`;
  const paths = indexPaths(partial);
  try {
    await mkdir(paths.segments, { recursive: true });
    await copyCatalog(paths.database);
    crashPoint('backup.catalog-copied');
    const files = namedFiles(paths.database);
    const total = files.length + 1;
    onProgress?.({ stage: 'backup', done: 1, total });
    // A link would bring in what lies outside of the index; without its files a segment of the copy is derived again.
    const isOwn = segments !== undefined && (await isOwnFolder(segments));
    for (const [position, file] of files.entries()) {
      signal?.throwIfAborted();
      if (isOwn && isSegmentName(file)) await copySegment(segments, paths.segments, file);
      onProgress?.({ stage: 'backup', done: position + 2, total });
    }
    signal?.throwIfAborted();
    await syncFile(paths.database);
    await syncDirectory(paths.segments);
    await syncDirectory(partial);
    crashPoint('backup.segments-copied');
    await rename(partial, target);
    crashPoint('backup.renamed');
    await syncPath(dirname(target));
  } catch (error) {
    // That the rest cannot be removed matters less than why the backup failed.
    await rm(partial, { recursive: true, force: true }).catch(() => {});
    signal?.throwIfAborted();
    throw SemanticIndexError.is(error) ? error : ioError(`Cannot write a backup to ${target}`, error);
  }
}

/** The files that a copied catalog names. */
function namedFiles(database: string): string[] {
  const catalog = Catalog.open({ path: database, readonly: false, durability: 'full', busyTimeout: 0 });
  try {
    catalog.leases.endAll();
    return catalog.segments.all().map(({ file }) => file);
  } finally {
    catalog.close();
  }
}

async function copySegment(from: string, to: string, file: string): Promise<void> {
  for (const name of segmentFiles(file)) {
    const source = join(from, name);
    const found = await entryAt(source);
    if (found?.isFile() !== true) continue;
    try {
      await copyFile(source, join(to, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw error;
    }
    // The catalog remembers the time of the last change; with it the copy needs no reading through.
    await setModified(join(to, name), Math.floor(found.mtimeMs));
    await syncFile(join(to, name));
  }
}
