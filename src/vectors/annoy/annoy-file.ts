import { randomInt, randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { readdir, rename, stat, unlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { addon } from '../../addon/addon.js';
import type { NativeIndex } from '../../addon/native-index.js';
import { runNativeTask } from '../../addon/native-task.js';
import { SemanticIndexError } from '../../errors.js';
import type { Metric } from '../../types.js';
import { kindOfFile, systemError } from '../regular-file.js';
import {
  type AnnoyDescription,
  describes,
  describesEnds,
  ENGINE,
  readSidecar,
  sidecarPath,
  writeSidecar,
} from './sidecar.js';

/** Facts for the sidecar that the forest does not contain. */
export interface Origin {
  readonly metric: Metric;
  readonly dimensions: number;
  readonly seed: number | null;
  readonly threads: number | null;
}

/** Milliseconds without a write after which a leftover temporary file is removed. */
const STALE_AFTER = 60 * 60 * 1000;

/**
 * Writes a forest to `path`, and its sidecar. Durable when the promise resolves; after a failure or crash, `path` is the complete
 * old or new file, and the sidecar describes it.
 *
 * @throws IO, with the old file unchanged.
 */
export async function saveForest(native: NativeIndex, path: string, origin: Origin): Promise<AnnoyDescription> {
  checkTarget(path);
  const description = await describeForest(native, origin);
  await inTurn(path, () => replace(path, description, () => native.save(path)));
  return description;
}

/** Name of a temporary file that is renamed to `path` when complete; a later save removes leftovers. */
export function temporaryPath(path: string): string {
  return `${path}.${randomInt(2 ** 47)}.tmp`;
}

/** Renames the complete file `temporary` to `path`, as durably as `saveForest`. `native` must not have it open for writing. */
export async function publishForest(
  native: NativeIndex,
  temporary: string,
  path: string,
  origin: Origin,
): Promise<AnnoyDescription> {
  checkTarget(path);
  native.load(temporary);
  const description = await describeForest(native, origin);
  native.unload(); // A mapped file cannot be renamed everywhere.
  const change = async () => {
    await rename(temporary, path);
    await addon().syncFolder(path);
  };
  await inTurn(path, () => replace(path, description, change));
  return description;
}

/** Maximum bytes of a file name on common file systems. */
const MAX_NAME = 255;

/**
 * Checks, before anything is written, that `path` can be replaced by a forest and its sidecar. Links in `path` must be followed
 * already. `ending` is the longest suffix that is appended to the name.
 *
 * @throws IO
 */
export function checkTarget(path: string, ending: string = sidecarPath('')): void {
  const longest = MAX_NAME - ending.length;
  const length = Buffer.byteLength(basename(path));
  if (length > longest) {
    throw new SemanticIndexError(
      'IO',
      `Expected a file name of at most ${longest} bytes, got ${length}: ${basename(path)}`,
      {
        hint: `Choose a shorter name: ${ending} is appended to it for a file beside it.`,
        details: { length, longest },
      },
    );
  }
  const folder = statIfThere(dirname(path));
  if (folder instanceof Error) throw systemError(`The directory of ${path} cannot be used`, folder);
  if (!folder.isDirectory()) throw new SemanticIndexError('IO', `${dirname(path)} is not a directory`);
  const target = statIfThere(path);
  if (!(target instanceof Error) && !target.isFile()) {
    throw new SemanticIndexError('IO', `Expected a regular file or nothing at ${path}, got ${kindOfFile(target)}`, {
      hint: 'Pass the path of a file; a directory, FIFO or device is never replaced.',
    });
  }
  const sidecar = statIfThere(sidecarPath(path));
  if (!(sidecar instanceof Error) && sidecar.isDirectory()) {
    throw new SemanticIndexError('IO', `Expected room for the sidecar at ${sidecarPath(path)}, got a directory`, {
      hint: 'Remove the directory, or save under another name.',
    });
  }
}

/** The longest suffix that an on-disk build appends to a name: that of the temporary file of the sidecar. */
export const ON_DISK_ENDING = `${sidecarPath('')}.${'0'.repeat(20)}.tmp`;

function statIfThere(path: string): (ReturnType<typeof statSync> & object) | Error {
  try {
    return statSync(path);
  } catch (error) {
    return error as Error;
  }
}

async function describeForest(native: NativeIndex, origin: Origin): Promise<AnnoyDescription> {
  const { items, trees, fileBytes } = native.facts();
  const { content, ...sha256 } = await runNativeTask('checksum', {}, (task) => native.digest(task));
  const { metric, dimensions, seed, threads } = origin;
  return {
    id: randomUUID(),
    metric,
    dimensions,
    items,
    trees,
    seed,
    threads,
    engine: ENGINE,
    fileSize: fileBytes,
    modified: Date.now(),
    sha256,
    content,
  };
}

/** The last pending save of each path. */
const saving = new Map<string, Promise<void>>();

/** Serializes the saves of one path in this thread: each changes two files. */
async function inTurn(path: string, save: () => Promise<void>): Promise<void> {
  const before = saving.get(path) ?? Promise.resolve();
  const turn = before.then(save, save);
  saving.set(path, turn);
  try {
    await turn;
  } finally {
    if (saving.get(path) === turn) saving.delete(path);
  }
}

/**
 * Saves in three steps: the sidecar is written first and describes both the old and the new file, then the file changes, then
 * the sidecar drops the old description.
 */
async function replace(path: string, description: AnnoyDescription, change: () => Promise<void>): Promise<void> {
  const exists = (await stat(path).catch(() => undefined)) !== undefined;
  const previous = exists ? await previousDescription(path) : undefined;
  await writeSidecar(path, description, exists ? (previous ?? null) : undefined);
  try {
    await change();
  } catch (error) {
    if (previous !== undefined) await writeSidecar(path, previous).catch(() => undefined);
    else await unlink(sidecarPath(path)).catch(() => undefined);
    throw SemanticIndexError.is(error) ? error : systemError(`${path} cannot be written`, error);
  }
  const modified = new Date(description.modified);
  await utimes(path, modified, modified);
  // If another process has saved meanwhile, that process writes the sidecar.
  if (exists && (await describes(description, path))) await writeSidecar(path, description);
  await sweep(path);
}

/** Description of the file to replace; undefined when it is damaged, or of another file. */
async function previousDescription(path: string): Promise<AnnoyDescription | undefined> {
  try {
    const previous = await readSidecar(path);
    return previous !== undefined && describesEnds(previous, path) ? previous : undefined;
  } catch {
    return undefined;
  }
}

/** Removes temporary files of saves of this path whose process was killed. */
async function sweep(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  const names = await readdir(folder).catch(() => [] as string[]);
  for (const name of names) {
    const isOfThisFile =
      name.startsWith(prefix) && /^(?:(?:meta\.json|accel)\.)?\d+\.tmp$/.test(name.slice(prefix.length));
    if (!isOfThisFile && !/^\.semantic-index\.\d+\.tmp$/.test(name)) continue;
    const leftover = join(folder, name);
    const found = await stat(leftover).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > STALE_AFTER) await unlink(leftover).catch(() => undefined);
  }
}
