import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { types } from 'node:util';
import { fieldValuesOf, textOf } from '../analysis/fields/stored-text.js';
import { documentsPerRead } from '../backend/batch-sizes.js';
import {
  type ExportedBatch,
  type ExportedDocument,
  type ExportFacts,
  type ExportFormat,
  type ExportManifest,
  exportNames,
  type TextLine,
} from '../backend/export-format.js';
import { parseMetadata } from '../backend/stored-json.js';
import { SemanticIndexError } from '../errors.js';
import { describe } from '../options.js';
import type { DocumentId, Metric, TextFields } from '../types.js';
import { newNpyMatrix } from '../vectors/matrix/npy-format.js';
import { VectorMatrix } from '../vectors/matrix/vector-matrix.js';
import { METRICS } from '../vectors/metric.js';
import { entryAt, fileFacts, ioError, isSystemError, kindOf, syncDirectory, writeLines } from './directory/files.js';

/** Only in an export of a damaged index. */
const textsName = 'texts.jsonl';

/** Exports as directories. */
export const exportFolder: ExportFormat = { write: writeExport, readManifest: readExportManifest, read: readExport };

async function writeExport(
  target: string,
  facts: ExportFacts,
  batches: AsyncIterable<ExportedBatch>,
  gaps: () => { complete: boolean; texts: readonly TextLine[] } = () => ({ complete: true, texts: [] }),
): Promise<number> {
  if ((await fileFacts(target)) !== undefined) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `${target} exists already`, {
      hint: 'An export never overwrites anything; choose a new directory.',
    });
  }
  const partial = `${target}.partial-${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(partial, { recursive: true });
    const documents = await writeBatches(partial, facts.dimensions, batches);
    const { complete, texts } = gaps();
    if (texts.length > 0) await writeLines(join(partial, textsName), texts);
    const { dimensions, metric, fingerprint, canaries } = facts;
    const manifest: ExportManifest = {
      format: 'semantic-index-export',
      version: 1,
      complete,
      documents,
      dimensions,
      metric,
      fingerprint,
      canaries,
    };
    await writeDurably(join(partial, exportNames.manifest), async (file) => {
      await file.writeFile(`${JSON.stringify(manifest, undefined, 2)}\n`);
    });
    await syncDirectory(partial);
    await rename(partial, target);
    await syncDirectory(dirname(target));
    return documents;
  } catch (error) {
    // That the rest cannot be removed matters less than why the export failed.
    await rm(partial, { recursive: true, force: true }).catch(() => {});
    throw SemanticIndexError.is(error) || !isSystemError(error) ? error : ioError(`Cannot export to ${target}`, error);
  }
}

/** How many documents there are is known at the end; the header of the matrix has the same length for any number. */
async function writeBatches(
  folder: string,
  dimensions: number,
  batches: AsyncIterable<ExportedBatch>,
): Promise<number> {
  const path = join(folder, exportNames.vectors);
  const header = (rows: number): Uint8Array =>
    newNpyMatrix(path, { rows, columns: dimensions, dtype: 'f4', order: 'C' }).header;
  let rows = 0;
  await writeDurably(path, async (matrix) => {
    await matrix.writeFile(header(0));
    await writeDurably(join(folder, exportNames.documents), async (file) => {
      for await (const { documents, vectors } of batches) {
        await matrix.writeFile(new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength));
        await file.writeFile(documents.map((document) => `${lineOf(document)}\n`).join(''));
        rows += documents.length;
      }
    });
    await matrix.write(header(rows), 0, header(rows).length, 0);
  });
  return rows;
}

function lineOf({ id, text, metadata, given }: ExportedDocument): string {
  const parsed = metadata === null ? {} : { metadata: parseMetadata(metadata, id) };
  const textFields = fieldValuesOf(text);
  const fields = textFields === undefined ? {} : { textFields };
  return JSON.stringify({ id, text: textOf(text), ...fields, ...parsed, ...(given ? { given } : {}) });
}

async function writeDurably(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, 'w');
  try {
    await write(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readExportManifest(folder: string): Promise<ExportManifest> {
  const path = join(folder, exportNames.manifest);
  await requirePlainFiles(folder);
  let manifest: Partial<ExportManifest> | null;
  try {
    manifest = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (isSystemError(error)) {
      const isMissing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
      throw ioError(
        isMissing
          ? `${folder} is not a directory that exportTo wrote: cannot read ${exportNames.manifest}`
          : `Cannot read ${path}`,
        error,
      );
    }
    throw new SemanticIndexError('INVALID_FILE', `${path} is damaged`, { cause: error });
  }
  if (manifest?.format !== 'semantic-index-export') {
    throw new SemanticIndexError('INVALID_FILE', `${folder} holds no export of an index`);
  }
  if (manifest.version !== 1) {
    throw new SemanticIndexError('NEWER_FORMAT', `The export has format ${manifest.version}; this version reads 1`);
  }
  for (const [member, [isRight, expected]] of Object.entries(manifestRules)) {
    const value = manifest[member as keyof typeof manifestRules];
    if (isRight(value)) continue;
    throw new SemanticIndexError('INVALID_FILE', `${path}: expected ${expected} as ${member}, got ${describe(value)}`);
  }
  return manifest as ExportManifest;
}

const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const manifestRules: Record<
  Exclude<keyof ExportManifest, 'format' | 'version'>,
  [isRight: (value: unknown) => boolean, expected: string]
> = {
  documents: [isWhole, 'a number of documents'],
  dimensions: [(value) => isWhole(value) && value !== 0, 'a positive integer'],
  metric: [(value) => METRICS.includes(value as Metric), `one of ${METRICS.join(', ')}`],
  fingerprint: [(value) => typeof value === 'string' && value !== '', 'the id of a model'],
  canaries: [(value) => value === null || typeof value === 'string', 'a string or null'],
  complete: [(value) => value === undefined || typeof value === 'boolean', 'true or false'],
};

/**
 * An export may come from someone else: a link could lead out of it, and a pipe would never end. @throws INVALID_FILE,
 * IO.
 */
async function requirePlainFiles(folder: string): Promise<void> {
  for (const name of Object.values(exportNames)) {
    const found = await entryAt(join(folder, name));
    if (found?.isFile()) continue;
    // Without a manifest the error of reading it says what is there.
    if (found === undefined && name === exportNames.manifest) return;
    const got = found === undefined ? 'nothing' : kindOf(found);
    throw new SemanticIndexError('INVALID_FILE', `Expected ${join(folder, name)} to be a file, got ${got}`, {
      hint: 'Export the index again, or copy the export with all of its files.',
    });
  }
}

async function* readExport(folder: string, manifest: ExportManifest): AsyncGenerator<ExportedBatch> {
  try {
    yield* readBatches(folder, manifest);
  } catch (error) {
    throw isSystemError(error) ? ioError(`Cannot read the export in ${folder}`, error) : error;
  }
}

async function* readBatches(folder: string, manifest: ExportManifest): AsyncGenerator<ExportedBatch> {
  await using matrix = await VectorMatrix.open(join(folder, exportNames.vectors));
  if (matrix.rows !== manifest.documents || matrix.columns !== manifest.dimensions) {
    throw new SemanticIndexError(
      'INVALID_FILE',
      `${exportNames.vectors} does not have the shape that the manifest states`,
    );
  }
  const file = await open(join(folder, exportNames.documents));
  try {
    let documents: ExportedDocument[] = [];
    let row = 0;
    const batch = async (): Promise<ExportedBatch> => {
      const rows = await matrix.getRows(row, documents.length);
      const vectors = types.isFloat32Array(rows) ? rows : Float32Array.from(rows as ArrayLike<number>);
      row += documents.length;
      return { documents, vectors };
    };
    for await (const line of file.readLines()) {
      if (line.trim() === '') continue;
      documents.push(parseLine(line, row + documents.length));
      if (row + documents.length > matrix.rows) break;
      if (documents.length === documentsPerRead) {
        yield await batch();
        documents = [];
      }
    }
    if (row + documents.length !== matrix.rows) {
      throw new SemanticIndexError(
        'INVALID_FILE',
        `${exportNames.documents} and ${exportNames.vectors} differ in length`,
      );
    }
    if (documents.length > 0) yield await batch();
  } finally {
    await file.close();
  }
}

function parseLine(line: string, row: number): ExportedDocument {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new SemanticIndexError('INVALID_FILE', `Expected an object, got ${describe(value)}`);
    }
    const { id, text, textFields, metadata, given } = value as Record<string, unknown>;
    const json = metadata === undefined ? null : JSON.stringify(metadata);
    const fields = textFields === undefined ? {} : { textFields: textFields as TextFields };
    return { id: id as DocumentId, text: text as string, ...fields, metadata: json, given: given === true };
  } catch (error) {
    throw new SemanticIndexError('INVALID_FILE', `Line ${row + 1} of ${exportNames.documents} is damaged`, {
      cause: error,
    });
  }
}
