import { type BigIntStats, statSync } from 'node:fs';
import type { NativeFacts, NativeIndex } from '../../addon/native-index.js';
import { SemanticIndexError } from '../../errors.js';
import type { Metric } from '../../types.js';
import { followLinks, kindOfFile, systemError } from '../regular-file.js';
import { type AnnoyDescription, describesEnds, readSidecar, readSidecarNow, sidecarPath } from './sidecar.js';

/** Facts about a file, known before it is mapped. */
export interface KnownFile {
  /** The sidecar's description; undefined without a sidecar, or with one of another file. */
  readonly description: AnnoyDescription | undefined;
  /** Why the sidecar beside the file is not used; undefined when it is, or when there is none. */
  readonly warning: string | undefined;
  /** Device, inode, size and modification time: changes when the file does. */
  readonly identity: string;
}

/** What a file must match. */
export interface FileExpectation {
  readonly f: number;
  readonly metric: Metric;
}

/** Identity of the file at `path`: see `KnownFile`. @throws IO when it is not a regular file. */
export function identityOf(path: string): string {
  const { dev, ino, size, mtimeNs } = statRegular(path);
  return `${dev}:${ino}:${size}:${mtimeNs}`;
}

/** The size of the file in an identity. */
export function sizeIn(identity: string): number {
  return Number(identity.split(':')[2]);
}

/**
 * Describes the file at `path`, links followed. `mayBeForeign` ignores a sidecar of another file, which a rename over the file
 * leaves behind; for callers that know `f` and `metric`.
 *
 * @throws IO when the file does not exist; INVALID_FILE when the sidecar is damaged or describes another file; NEWER_FORMAT.
 */
export async function describeFile(path: string, mayBeForeign: boolean): Promise<KnownFile> {
  const file = followLinks(path);
  const identity = identityOf(file);
  return compare(file, identity, await readSidecar(file), mayBeForeign);
}

function compare(
  file: string,
  identity: string,
  found: AnnoyDescription | undefined,
  mayBeForeign: boolean,
): KnownFile {
  if (found === undefined) return { description: undefined, warning: undefined, identity };
  if (describesEnds(found, file)) return { description: found, warning: undefined, identity };
  const size = statRegular(file).size;
  const difference =
    Number(size) === found.fileSize ? 'its bytes differ' : `it has ${size} bytes, the sidecar says ${found.fileSize}`;
  const warning = `${file} is not the file that its sidecar ${sidecarPath(file)} describes: ${difference}`;
  if (mayBeForeign) return { description: undefined, warning, identity };
  throw new SemanticIndexError('INVALID_FILE', warning, {
    hint:
      'If the file was renamed or copied over an older one, move its own sidecar (.meta.json) along, or delete the old ' +
      'sidecar; then, or with f and metric passed, it can be opened. If it was not, it is damaged: restore it.',
    details: { expected: found.fileSize, actual: Number(size), sidecar: sidecarPath(file) },
  });
}

/**
 * Describes the file at `path` and checks it against `expectation`, where an `f` of 0 matches any dimensions.
 *
 * @throws as `describeFile` and `checkAgreement`
 */
export async function describeAs(method: string, path: string, expectation: FileExpectation): Promise<KnownFile> {
  const known = await describeFile(path, expectation.f > 0);
  checkAgreement(method, path, expectation, known.description);
  return known;
}

/** Synchronous `describeAs`, for an index whose `f` is known. */
export function describeNow(method: string, path: string, expectation: FileExpectation): KnownFile {
  const file = followLinks(path);
  const identity = identityOf(file);
  const known = compare(file, identity, readSidecarNow(file), true);
  checkAgreement(method, path, expectation, known.description);
  return known;
}

/**
 * Maps the file at `path` into `native` synchronously. The result describes the mapped file, even when another process saves
 * meanwhile.
 *
 * @throws as `describeAs`, `native.load` and `checkFacts`, with nothing mapped
 */
export function mapNow(native: NativeIndex, path: string, expectation: FileExpectation): KnownFile {
  try {
    for (let attempt = 1; ; attempt++) {
      const known = describeNow('load', path, expectation);
      native.load(path);
      if (isUnchanged(path, known, native, attempt)) return known;
    }
  } catch (error) {
    native.unload();
    throw named(error, path, expectation);
  }
}

/** An error of the kernel with the name of the file, which the kernel does not know. */
function named(error: unknown, path: string, { f, metric }: FileExpectation): unknown {
  if (!SemanticIndexError.is(error, 'INVALID_FILE') || error.message.includes(path)) return error;
  const expected = `an Annoy file of ${f} dimensions with metric ${metric}`;
  return new SemanticIndexError('INVALID_FILE', `Expected ${expected}, got ${path}: ${error.message}`, {
    hint: 'Pass the f and metric that it was built with; if they are right, the file is damaged.',
    details: { ...error.details, path },
    cause: error,
  });
}

/**
 * Same as `mapNow`, off the event loop; `prefault` reads the whole file. `described` is what `describeAs` returned for it a moment ago:
 * the file is described again only if it is another one by the time that it is mapped.
 */
export async function mapLater(
  native: NativeIndex,
  path: string,
  expectation: FileExpectation,
  prefault: boolean,
  described: KnownFile,
): Promise<KnownFile> {
  for (let attempt = 1; ; attempt++) {
    const known = attempt === 1 ? described : await describeAs('load', path, expectation);
    await native.loadLater(path, prefault).catch((error: unknown) => {
      throw named(error, path, expectation);
    });
    if (isUnchanged(path, known, native, attempt)) return known;
  }
}

/**
 * Whether the file is still the one described, and therefore the one mapped in between. Otherwise the caller retries, up to
 * five times: a file that keeps changing is being written in place.
 *
 * @throws INVALID_FILE at the fifth attempt, and as `checkFacts`; IO when the file is gone.
 */
function isUnchanged(path: string, known: KnownFile, native: NativeIndex, attempt: number): boolean {
  if (identityOf(path) === known.identity) {
    checkFacts(path, native.facts(), known.description);
    return true;
  }
  if (attempt < 5) return false;
  throw new SemanticIndexError('INVALID_FILE', `${path} changed ${attempt} times while it was loaded`, {
    hint: 'Write the file under another name and rename it, as save does.',
  });
}

/** @throws INVALID_FILE when counts of the file differ from its sidecar. */
function checkFacts(path: string, facts: NativeFacts, description: AnnoyDescription | undefined): void {
  if (description === undefined) return;
  for (const field of ['items', 'trees'] as const) {
    if (facts[field] === description[field]) continue;
    throw new SemanticIndexError(
      'INVALID_FILE',
      `${path}: expected ${description[field]} ${field}, as in its sidecar, got ${facts[field]}`,
      { details: { expected: description[field], actual: facts[field] } },
    );
  }
}

/** @throws DIMENSION_MISMATCH or INVALID_ARGUMENT when the expectation differs from the sidecar. */
export function checkAgreement(
  method: string,
  path: string,
  { f, metric }: FileExpectation,
  description: AnnoyDescription | undefined,
): void {
  if (description === undefined) return;
  if (f > 0 && f !== description.dimensions) {
    throw new SemanticIndexError(
      'DIMENSION_MISMATCH',
      `${method}: expected ${f} dimensions, got ${path} with ${description.dimensions}`,
      { details: { expected: description.dimensions, actual: f } },
    );
  }
  if (metric !== description.metric) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: expected metric ${metric}, got ${path} with ${description.metric}`,
    );
  }
}

function statRegular(path: string): BigIntStats {
  let file: BigIntStats;
  try {
    file = statSync(path, { bigint: true });
  } catch (cause) {
    throw systemError(`${path} cannot be opened`, cause);
  }
  if (!file.isFile()) {
    throw new SemanticIndexError('IO', `Expected a regular file, got ${kindOfFile(file)}: ${path}`, {
      hint: 'Pass the path of an Annoy file.',
    });
  }
  return file;
}
