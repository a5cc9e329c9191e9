import { join } from 'node:path';
import { vectorsPerRead } from '../../backend/batch-sizes.js';
import { SemanticIndexError } from '../../errors.js';
import type { DamageEvent, GraphMissingEvent, Metric, TermsMissingEvent } from '../../types.js';
import { acceleratorPath, canAccelerate, otherFormat } from '../../vectors/annoy/annoy-accelerator.js';
import { AnnoyIndex } from '../../vectors/annoy/annoy-index.js';
import { acceleratorContentFault } from '../../vectors/annoy/annoy-validation.js';
import { sidecarPath } from '../../vectors/annoy/sidecar.js';
import { checksumFile } from '../../vectors/checksum.js';
import { VectorBuffer } from '../../vectors/vector-buffer.js';
import type { AddedSegment } from '../catalog/catalog.js';
import type { SegmentRow } from '../catalog/segment-table.js';
import { FileWatch } from '../directory/file-watch.js';
import { fileFacts, ioError, isSystemError } from '../directory/files.js';
import { segmentFacts } from '../directory/segment-directory.js';
import { termsFile } from '../directory/segment-names.js';
import type { CatalogClient } from '../writer/catalog-client.js';
import { guardSegment } from './guarded-segment.js';
import {
  RefCounted,
  type SearchableSegment,
  type VectorSegment,
  withoutKeys,
  withTerms,
} from './searchable-segment.js';
import { openStoredTerms } from './stored-terms.js';
import { TermsInMemory } from './terms-in-memory.js';

/** The index that a segment belongs to. */
export interface SegmentContext {
  readonly directory: string;
  readonly metric: Metric;
  readonly space: number;
  readonly dimensions: number;
  readonly loadMode: 'lazy' | 'eager';
  readonly reader: CatalogClient;
  /** Whether the catalog is in this thread, as that of an index in memory: it is read here, however long that takes. */
  readonly local: boolean;
  /** Whether the catalog still names this segment. */
  readonly isCurrent: (segment: number) => boolean;
  /** Called when files changed after they were opened: with what is searched instead, and what is wrong with them. */
  readonly onReopened: (part: VectorSegment, damages: readonly Damage[]) => void;
  /** Called with what is found after files were opened. */
  readonly onDamage: (damage: Damage) => void;
}

/** A fault of a segment that was found when it was opened. */
export type Damage = DamageEvent | GraphMissingEvent | TermsMissingEvent;

const slower = 'searches take longer';

// Items that an accelerated search compares for 10 neighbors among 100,000: on paragraphs of Wikipedia under the
// bundled model (384 dimensions, 10 trees) it finds 0.98 of the true neighbors.
const compared = 1_024;
// Candidates of a walk over the trees alone: 0.95 among 50,000 of the same paragraphs; more trees find no more.
const candidates = 8_000;

/** Default searchK: larger for more neighbors and for more items. */
function defaultSearchK(isAccelerated: boolean, items: number, k: number): number {
  const [base, size] = isAccelerated ? [compared, 100_000] : [candidates, 50_000];
  return Math.ceil(base * Math.sqrt(Math.max(k, 10) / 10) * Math.sqrt(Math.max(1, items / size)));
}

// Bytes that are compared with their checksum before the first search, in some milliseconds.
const maxCheckedFirst = 16 * 2 ** 20;

/**
 * Opens a segment for searching. A file that is missing or not what the catalog says is not believed: the vectors of
 * its documents are read from the catalog instead and scanned, so answers are right at once and only slower. It is
 * entered into `damages`.
 *
 * @returns undefined when the segment was replaced meanwhile, and its file with it.
 */
export async function openSegment(
  added: AddedSegment,
  context: SegmentContext,
  damages: Damage[],
): Promise<SearchableSegment | undefined> {
  const part = await openWith(added, context, damages, false);
  if (part === undefined) return undefined;
  const keys = (): Float64Array => Float64Array.from(part.keys.offsets, (offset) => part.keys.first + offset);
  const { directory, reader } = context;
  // The items of a damaged segment have other numbers than those in its files.
  if (part.damaged) return withTerms(part, TermsInMemory.ofSegment(reader, keys(), 'damaged'));
  let report = (damage: Damage): void => void damages.push(damage);
  const terms = await openStoredTerms({ row: added.row, keys, directory, reader }, (row, error) =>
    report(error === undefined ? termsMissing(row) : damagedTerms(row, error)),
  );
  report = context.onDamage;
  return withTerms(part, terms);
}

async function openWith(
  added: AddedSegment,
  context: SegmentContext,
  damages: Damage[],
  inFull: boolean,
): Promise<VectorSegment | undefined> {
  const { row } = added;
  const path = join(context.directory, row.file);
  const watch = new FileWatch([path, acceleratorPath(path)]);
  try {
    const index = await openForest(row, context, inFull);
    const fault = (await sidecarFault(row, context)) ?? (await acceleratorFault(row, index, context, inFull));
    if (fault !== undefined) damages.push(fault);
    const { forest, size } = await trustedForest(index, row, context, fault);
    const part = guardSegment(forestSegment(added, forest, fault !== undefined), {
      hasChanged: () => watch.hasChanged(),
      isSound: (signal) => isSound(row, context, forest.isAccelerated, signal),
      checkFirst: !inFull && size <= maxCheckedFirst,
      reopen: () => reopen(added, context),
    });
    return await withoutKeys(part, added.deadKeys);
  } catch (failure) {
    const error = isSystemError(failure) ? ioError(`Cannot read segment file ${row.file}`, failure) : failure;
    if (!SemanticIndexError.is(error)) throw error;
    if (!context.isCurrent(row.segment)) return undefined;
    damages.push(damaged(row, error, `${row.items} documents are scanned`));
    return scannedSegment(row, context);
  }
}

/**
 * Opens a segment again whose files have changed, or turned out to be damaged; this time all their bytes are compared.
 */
async function reopen(added: AddedSegment, context: SegmentContext): Promise<VectorSegment> {
  const damages: Damage[] = [];
  const part = (await openWith(added, context, damages, true)) ?? (await scannedSegment(added.row, context));
  context.onReopened(part, damages);
  return part;
}

/** A graph index that must not be trusted is not searched with, even where it could be mapped. */
async function trustedForest(
  index: AnnoyIndex,
  row: SegmentRow,
  context: SegmentContext,
  fault: Damage | undefined,
): Promise<{ forest: AnnoyIndex; size: number }> {
  const path = join(context.directory, row.file);
  const size = row.file_size + (index.isAccelerated ? ((await fileFacts(acceleratorPath(path)))?.size ?? 0) : 0);
  if (fault === undefined || !index.isAccelerated) return { forest: index, size };
  index.close();
  const { metric, dimensions } = context;
  return { forest: await AnnoyIndex.open(path, { f: dimensions, metric, loadMode: 'eager', engine: 'annoy' }), size };
}

/**
 * Whether the files of a segment have the bytes that were published; removed files count as sound, for their mapping
 * is.
 */
async function isSound(
  row: SegmentRow,
  context: SegmentContext,
  isAccelerated: boolean,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const path = join(context.directory, row.file);
  try {
    if ((await checksumFile(path, signal)) !== row.checksum) return false;
    return !isAccelerated || (await acceleratorContentFault(path, context.metric, context.dimensions)) === undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    return false;
  }
}

async function openForest(row: SegmentRow, context: SegmentContext, inFull: boolean): Promise<AnnoyIndex> {
  const path = join(context.directory, row.file);
  const facts = await segmentFacts(context.directory, row.file);
  if (facts === undefined) throw damage(row, 'is missing');
  if (facts.size !== row.file_size) throw damage(row, `has ${facts.size} bytes instead of ${row.file_size}`);
  // Untouched files are opened without reading them; small ones are compared before their first search, others by and
  // by.
  if ((inFull || facts.mtime !== row.file_mtime) && (await checksumFile(path)) !== row.checksum) {
    throw damage(row, 'does not have the bytes that were written');
  }
  const { metric, dimensions, loadMode } = context;
  // Mapping now costs next to nothing and keeps the file readable when it is removed; `eager` also reads it in.
  const prefault = loadMode === 'eager';
  const index = await AnnoyIndex.open(path, { f: dimensions, metric, loadMode: 'eager', prefault });
  if (index.getNItems() === row.items) return index;
  index.close();
  throw damage(row, `holds ${index.getNItems()} items instead of ${row.items}`);
}

function damage(row: SegmentRow, what: string): SemanticIndexError {
  return new SemanticIndexError('INVALID_FILE', `Segment file ${row.file} ${what}`, {
    hint: 'No action needed: its documents are scanned until the file is rebuilt.',
  });
}

/** Searches do not need the sidecar; other programs that open the file do. */
async function sidecarFault(row: SegmentRow, context: SegmentContext): Promise<Damage | undefined> {
  const facts = await fileFacts(sidecarPath(join(context.directory, row.file)));
  return facts === undefined ? damaged(row, damage(row, 'has lost its sidecar'), slower) : undefined;
}

function damaged({ file }: SegmentRow, error: SemanticIndexError, consequence: string): Damage {
  const { message: reason } = error;
  return { type: 'damage', file: `segments/${file}`, reason, message: `${reason}; ${consequence}`, error };
}

function termsMissing({ file, items }: SegmentRow): TermsMissingEvent {
  const message = `There is no ${termsFile(file)}; ${items} texts are analyzed before the first search for words`;
  return { type: 'terms-missing', file: `segments/${file}`, message };
}

function damagedTerms({ file, items }: SegmentRow, error: SemanticIndexError): DamageEvent {
  const { message: reason } = error;
  const message = `${reason}; ${items} texts are analyzed before the next search for words`;
  return { type: 'damage', file: `segments/${termsFile(file)}`, reason, message, error };
}

function graphMissing({ file }: SegmentRow, what: string): Damage {
  return { type: 'graph-missing', file: `segments/${file}`, message: `${file} has ${what}; ${slower}` };
}

/** What is wrong with the graph index of a segment: it is not used, or must not be trusted. */
async function acceleratorFault(
  row: SegmentRow,
  index: AnnoyIndex,
  context: SegmentContext,
  inFull: boolean,
): Promise<Damage | undefined> {
  if (!canAccelerate(index.metric, index.f)) return undefined;
  const facts = await fileFacts(acceleratorPath(join(context.directory, row.file)));
  // It may be lost, or an earlier version may have made none.
  if (facts === undefined) return graphMissing(row, 'no graph index');
  const path = join(context.directory, row.file);
  const inDoubt = inFull || facts.mtime !== row.file_mtime;
  // One whose time of change is not that of its segment has been touched: it is looked through.
  const reason =
    index.info().accelerator.reason ??
    (inDoubt ? await acceleratorContentFault(path, index.metric, index.f) : undefined);
  if (reason === undefined) return undefined;
  if (reason === otherFormat) {
    return graphMissing(row, 'a graph index of another version');
  }
  const error = new SemanticIndexError('INVALID_FILE', `${acceleratorPath(row.file)}: ${reason}`, {
    hint: 'No action needed: it is rebuilt, and answers are correct meanwhile.',
  });
  return damaged(row, error, slower);
}

function forestSegment({ row, offsets }: AddedSegment, index: AnnoyIndex, graphMissing: boolean): VectorSegment {
  const searchKOf = (k: number, searchK: number | undefined): number =>
    searchK ?? defaultSearchK(index.isAccelerated, row.items, k);
  return {
    segment: row.segment,
    damaged: false,
    graphMissing,
    hasForest: true,
    firstKey: row.first_key,
    lastKey: row.last_key,
    keys: { first: row.first_key, offsets },
    alive: undefined,
    dead: 0,
    shared: new RefCounted(() => index.close()),
    walkLength: ({ k, searchK, share }) => Math.ceil(searchKOf(k, searchK) / share),
    async search({ queries, k, exact, searchK, share, allowed, signal }) {
      const wanted = searchKOf(k, searchK);
      // The accelerated search widens its beam by itself where a filter lets little through.
      const widened = index.isAccelerated ? wanted : Math.min(row.items * row.trees, Math.ceil(wanted / share));
      const found = await index.getNnsByVectors(queries, k, {
        exact,
        searchK: widened,
        ...(allowed === undefined ? {} : { allowed }),
        ...(signal === undefined ? {} : { signal }),
      });
      return { k, ...found };
    },
  };
}

/** The tail: rows in memory that are scanned. The buffer may grow, only the rows of `keys` are looked at. */
export function tailSegment(buffer: VectorBuffer, keys: Float64Array, shared: RefCounted): VectorSegment {
  return {
    segment: 0,
    damaged: false,
    graphMissing: false,
    hasForest: false,
    firstKey: keys[0] ?? 0,
    lastKey: keys[keys.length - 1] ?? 0,
    keys: { first: 0, offsets: keys },
    alive: undefined,
    dead: 0,
    shared,
    walkLength: () => keys.length,
    async search({ queries, k, allowed, signal }) {
      const found = await buffer.search(queries, k, {
        length: keys.length,
        ...(allowed === undefined ? {} : { allowed }),
        ...(signal === undefined ? {} : { signal }),
      });
      return { k, ...found };
    },
  };
}

async function scannedSegment(row: SegmentRow, context: SegmentContext): Promise<VectorSegment> {
  const buffer = new VectorBuffer(context.dimensions, context.metric);
  const keys: number[] = [];
  for (let after = row.first_key - 1; ; ) {
    const rows = await context.reader.documents.vectorsAfter(after, row.last_key, vectorsPerRead);
    if (rows.keys.length === 0) break;
    buffer.append(rows.vectors);
    for (const key of rows.keys) keys.push(key);
    after = rows.keys[rows.keys.length - 1] as number;
  }
  const part = tailSegment(buffer, Float64Array.from(keys), new RefCounted(() => buffer.close()));
  return { ...part, segment: row.segment, damaged: true, firstKey: row.first_key, lastKey: row.last_key };
}
