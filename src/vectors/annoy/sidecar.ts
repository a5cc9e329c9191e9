import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readSync } from 'node:fs';
import { addon } from '../../addon/addon.js';
import { runNativeTask } from '../../addon/native-task.js';
import { SemanticIndexError } from '../../errors.js';
import type { Metric } from '../../types.js';
import { METRICS } from '../metric.js';
import { readRegularFile, withRegularFile } from '../regular-file.js';

/** Version of the sidecar's fields. Newer versions are refused. */
export const SIDECAR_VERSION = 1;

/** Facts about an Annoy file that the file itself does not contain. */
export interface AnnoyDescription {
  /** A UUID, new with every save of different contents. */
  readonly id: string;
  readonly metric: Metric;
  readonly dimensions: number;
  readonly items: number;
  readonly trees: number;
  /** Seed of the build; null when unknown. */
  readonly seed: number | null;
  /** Threads of the build, for information: the bytes do not depend on it. Null when unknown. */
  readonly threads: number | null;
  /** Name and version of the program that wrote the file. */
  readonly engine: string;
  readonly fileSize: number;
  /** Modification time that the save sets, in milliseconds. */
  readonly modified: number;
  /** SHA-256 of the items, of the rest of the file, and of its first and last 4096 bytes. */
  readonly sha256: { readonly items: string; readonly forest: string; readonly ends: string };
  /** XXH64 of the whole file, in hexadecimal; missing in sidecars of earlier versions. */
  readonly content?: string;
}

/**
 * Contents of `NAME.ann.meta.json`. While a save replaces an older file, `previous` describes that one: the two files cannot
 * change atomically, so a reader in between, or after a crash, finds the description of either file.
 */
export interface Sidecar extends AnnoyDescription {
  readonly formatVersion: number;
  /** Null when the older file had no sidecar. */
  readonly previous?: AnnoyDescription | null;
}

const manifest: { version: string } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
);

/** Value of `engine` that this package writes. */
export const ENGINE = `semantic-index ${manifest.version}`;

/** Path of the sidecar of an Annoy file. */
export function sidecarPath(path: string): string {
  return `${path}.meta.json`;
}

/** Bytes at either end of the file that `sha256.ends` covers. */
const END_BYTES = 4096;

/**
 * Reads the sidecar of the file at `path`; undefined without one. Of two descriptions, returns the one that matches the file. A
 * single description may be of another file: check it with `describesEnds`.
 *
 * @throws INVALID_FILE when the sidecar is damaged or not a regular file, NEWER_FORMAT, IO.
 */
export async function readSidecar(path: string): Promise<AnnoyDescription | undefined> {
  const sidecar = parseIfThere(path);
  if (sidecar?.previous === undefined) return sidecar;
  return (await describes(sidecar, path)) ? sidecar : (sidecar.previous ?? undefined);
}

/**
 * Synchronous `readSidecar`. Returns undefined when a killed save left two descriptions, and only reading the whole file would
 * decide between them.
 */
export function readSidecarNow(path: string): AnnoyDescription | undefined {
  const sidecar = parseIfThere(path);
  if (sidecar?.previous === undefined) return sidecar;
  const { previous } = sidecar;
  const isNew = describesEnds(sidecar, path);
  const isOld = previous !== null && describesEnds(previous, path);
  if (isNew && isOld) return undefined;
  return isNew ? sidecar : (previous ?? undefined);
}

function parseIfThere(path: string): Sidecar | undefined {
  const text = readText(sidecarPath(path));
  return text === undefined ? undefined : parseSidecar(path, text);
}

/** Replaces the sidecar atomically. @throws IO */
export async function writeSidecar(
  path: string,
  description: AnnoyDescription,
  previous?: AnnoyDescription | null,
): Promise<void> {
  const sidecar: Sidecar = {
    formatVersion: SIDECAR_VERSION,
    ...plain(description),
    ...(previous === undefined ? {} : { previous: previous === null ? null : plain(previous) }),
  };
  await addon().writeFile(sidecarPath(path), new TextEncoder().encode(`${JSON.stringify(sidecar, null, 2)}\n`));
}

/** A description without the other fields of a sidecar. */
function plain(description: AnnoyDescription & { formatVersion?: number; previous?: unknown }): AnnoyDescription {
  const { formatVersion: _, previous: __, ...rest } = description;
  return rest;
}

function readText(path: string): string | undefined {
  try {
    return readRegularFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (SemanticIndexError.is(cause)) {
      throw new SemanticIndexError('INVALID_FILE', cause.message, {
        cause,
        hint: 'Remove it and open the index with f and metric, or save the index again.',
      });
    }
    throw new SemanticIndexError('IO', `The sidecar ${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function parseSidecar(path: string, text: string): Sidecar {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(path, 'is not valid JSON', cause);
  }
  if (typeof value !== 'object' || value === null) throw damaged(path, 'is not a JSON object');
  const version = (value as { formatVersion?: unknown }).formatVersion;
  if (typeof version === 'number' && version > SIDECAR_VERSION) {
    throw new SemanticIndexError(
      'NEWER_FORMAT',
      `The sidecar of ${path}: expected format ${SIDECAR_VERSION} or earlier, got ${version}`,
      {
        details: { supported: SIDECAR_VERSION, found: version },
      },
    );
  }
  if (version !== SIDECAR_VERSION) throw damaged(path, 'lacks a valid formatVersion');
  checkDescription(path, value as Record<string, unknown>);
  const previous = (value as { previous?: unknown }).previous;
  if (previous !== undefined && previous !== null) {
    if (typeof previous !== 'object') throw damaged(path, 'has a damaged field "previous"');
    checkDescription(path, previous as Record<string, unknown>);
  }
  return value as Sidecar;
}

/** @throws INVALID_FILE unless every field has its type. */
function checkDescription(path: string, value: Record<string, unknown>): void {
  const isCount = (field: unknown) => Number.isSafeInteger(field) && (field as number) >= 0;
  const isText = (field: unknown) => typeof field === 'string';
  const hashes = value.sha256 as Record<string, unknown> | null | undefined;
  const sound: Record<string, boolean> = {
    id: isText(value.id),
    metric: METRICS.includes(value.metric as Metric),
    dimensions: isCount(value.dimensions) && value.dimensions !== 0,
    items: isCount(value.items),
    trees: isCount(value.trees),
    seed: value.seed === null || isCount(value.seed),
    threads: value.threads === null || isCount(value.threads),
    engine: isText(value.engine),
    fileSize: isCount(value.fileSize),
    modified: typeof value.modified === 'number',
    sha256:
      typeof hashes === 'object' &&
      hashes !== null &&
      ['items', 'forest', 'ends'].every((part) => isText(hashes[part])),
    content: value.content === undefined || isText(value.content),
  };
  const bad = Object.keys(sound).filter((field) => !sound[field]);
  if (bad.length > 0) throw damaged(path, `has a missing or damaged field "${bad.join('", "')}"`);
}

function damaged(path: string, what: string, cause?: unknown): SemanticIndexError {
  return new SemanticIndexError('INVALID_FILE', `The sidecar ${sidecarPath(path)} ${what}`, {
    cause,
    hint: 'Delete the sidecar and open the file with f and metric, or save the index again.',
  });
}

/**
 * Whether the file at `path` is the one described. Size and both ends rule out nearly all other files at the cost of two page
 * reads. If they match, the whole file is compared, because another forest of the same items can differ only in the middle.
 */
export async function describes(description: AnnoyDescription, path: string): Promise<boolean> {
  if (!describesEnds(description, path)) return false;
  return existsSync(path) ? describesContent(description, path) : true;
}

/** Compares the whole file with a description. */
async function describesContent(description: AnnoyDescription, path: string): Promise<boolean> {
  const { metric, dimensions, content, sha256 } = description;
  const native = new (addon().Index)(METRICS.indexOf(metric), dimensions);
  try {
    await native.loadLater(path, false);
    if (content !== undefined) return content === (await runNativeTask('checksum', {}, (task) => native.content(task)));
    const digest = await runNativeTask('checksum', {}, (task) => native.digest(task));
    return digest.items === sha256.items && digest.forest === sha256.forest;
  } catch {
    return false;
  } finally {
    native.close();
  }
}

/** Whether size and both ends of the file at `path` match; true when the file does not exist. */
export function describesEnds(description: AnnoyDescription, path: string): boolean {
  try {
    return withRegularFile(path, (descriptor, { size }) => {
      if (size !== description.fileSize) return false;
      const length = Math.min(END_BYTES, size);
      const hash = createHash('sha256');
      for (const position of [0, size - length]) {
        const bytes = Buffer.alloc(length);
        readSync(descriptor, bytes, 0, length, position);
        hash.update(bytes);
      }
      return hash.digest('hex') === description.sha256.ends;
    });
  } catch {
    return true; // Opening the missing file reports the error.
  }
}
