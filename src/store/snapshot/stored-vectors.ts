import { join } from 'node:path';
import { vectorsPerRead } from '../../backend/batch-sizes.js';
import { SemanticIndexError } from '../../errors.js';
import { canBuildGraph, graphPath, otherFormat } from '../../vectors/annoy/annoy-graph.js';
import { AnnoyIndex } from '../../vectors/annoy/annoy-index.js';
import { graphContentFault } from '../../vectors/annoy/annoy-validation.js';
import { sidecarPath } from '../../vectors/annoy/sidecar.js';
import { checksumFile } from '../../vectors/checksum.js';
import { VectorBuffer } from '../../vectors/vector-buffer.js';
import type { AddedSegment } from '../catalog/catalog.js';
import type { SegmentRow } from '../catalog/segment-table.js';
import type { SortedKeys } from '../catalog/sorted-keys.js';
import { FileWatch } from '../directory/file-watch.js';
import { entryNow, ioError, isSystemError } from '../directory/files.js';
import { segmentFacts } from '../directory/segment-directory.js';
import { GuardedFiles } from './guarded-source.js';
import type { Damage, SegmentContext } from './segment-context.js';
import { type SegmentVectors, type VectorSource, VectorsInMemory, type VectorsState } from './segment-vectors.js';

const slower = 'searches take longer';

// Bytes that are compared with their checksum before the first search, in some milliseconds.
const maxCheckedFirst = 16 * 2 ** 20;

/** Called with what is wrong with the files of a segment, and the state that its vectors are in because of it. */
export type OnVectorsLost = (damage: Damage, state: VectorsState) => void;

/**
 * Opens the vectors of a segment. A file that is missing, or differs from its row in the catalog, is not used: the vectors
 * of its documents are read from the catalog and scanned, so results stay right and are only slower. `onLost` is
 * called: now, or when files change later.
 *
 * @param keys those of the items; undefined when the catalog does not have them.
 * @returns undefined when the segment was replaced meanwhile, and its file with it.
 */
export async function openStoredVectors(
  added: AddedSegment,
  keys: SortedKeys | undefined,
  context: SegmentContext,
  onLost: OnVectorsLost,
  inFull = false,
): Promise<SegmentVectors | undefined> {
  const { row } = added;
  const path = join(context.directory, row.file);
  const watch = new FileWatch([path, graphPath(path)]);
  try {
    if (keys === undefined) throw damage(row, 'has keys in the catalog that are not those of its items');
    const index = await openForest(row, context, inFull);
    const fault = sidecarFault(row, context) ?? (await graphFault(row, index, context, inFull));
    if (fault !== undefined) onLost(fault, 'graph-missing');
    const { forest, size } = await trustedForest(index, row, context, fault);
    return new GuardedFiles<VectorSource, VectorsState>({
      source: { vectors: forest, keys },
      state: fault === undefined ? 'stored' : 'graph-missing',
      checkFirst: !inFull && size <= maxCheckedFirst,
      hasChanged: () => watch.hasChanged(),
      isIntact: (signal) => isIntact(row, context, forest.hasGraph, signal),
      reopen: async (onState) => {
        const lost: OnVectorsLost = (damage, state) => {
          onState(state);
          onLost(damage, state);
        };
        return (
          (await openStoredVectors(added, keys, context, lost, true)) ??
          scannedVectors(row.first_key, row.last_key, context)
        );
      },
      close: () => forest.close(),
    });
  } catch (failure) {
    const error = isSystemError(failure) ? ioError(`Cannot read segment file ${row.file}`, failure) : failure;
    if (!SemanticIndexError.is(error)) throw error;
    if (!context.isCurrent(row.segment)) return undefined;
    onLost(damaged(row, error, `${row.items} documents are scanned`), 'damaged');
    return scannedVectors(row.first_key, row.last_key, context);
  }
}

/** A graph index that must not be trusted is not searched with, even where it could be mapped. */
async function trustedForest(
  index: AnnoyIndex,
  row: SegmentRow,
  context: SegmentContext,
  fault: Damage | undefined,
): Promise<{ forest: AnnoyIndex; size: number }> {
  const path = join(context.directory, row.file);
  const size = row.file_size + (index.hasGraph ? (entryNow(graphPath(path))?.size ?? 0) : 0);
  if (fault === undefined || !index.hasGraph) return { forest: index, size };
  index.close();
  const { metric, dimensions } = context;
  return { forest: await AnnoyIndex.open(path, { f: dimensions, metric, loadMode: 'eager', engine: 'annoy' }), size };
}

/**
 * Whether the files of a segment have the bytes that were published; removed files count as intact, for their mapping
 * is.
 */
async function isIntact(
  row: SegmentRow,
  context: SegmentContext,
  hasGraph: boolean,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const path = join(context.directory, row.file);
  try {
    if ((await checksumFile(path, signal)) !== row.checksum) return false;
    return !hasGraph || (await graphContentFault(path, context.metric, context.dimensions)) === undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    return false;
  }
}

async function openForest(row: SegmentRow, context: SegmentContext, inFull: boolean): Promise<AnnoyIndex> {
  const path = join(context.directory, row.file);
  const facts = segmentFacts(context.directory, row.file);
  if (facts === undefined) throw damage(row, 'is missing');
  if (facts.size !== row.file_size) throw damage(row, `has ${facts.size} bytes instead of ${row.file_size}`);
  // Unchanged files are opened without reading them; small ones are compared with their checksum before their first
  // search, others in the background.
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
function sidecarFault(row: SegmentRow, context: SegmentContext): Damage | undefined {
  const found = entryNow(sidecarPath(join(context.directory, row.file)));
  return found === undefined ? damaged(row, damage(row, 'has lost its sidecar'), slower) : undefined;
}

function damaged({ file }: SegmentRow, error: SemanticIndexError, consequence: string): Damage {
  const { message: reason } = error;
  return { type: 'damage', file: `segments/${file}`, reason, message: `${reason}; ${consequence}`, error };
}

function graphMissing({ file }: SegmentRow, what: string): Damage {
  return { type: 'graph-missing', file: `segments/${file}`, message: `${file} has ${what}; ${slower}` };
}

/** What is wrong with the graph index of a segment: it is not used, or must not be trusted. */
async function graphFault(
  row: SegmentRow,
  index: AnnoyIndex,
  context: SegmentContext,
  inFull: boolean,
): Promise<Damage | undefined> {
  if (!canBuildGraph(index.metric, index.f)) return undefined;
  const found = entryNow(graphPath(join(context.directory, row.file)));
  // It may be lost, or an earlier version may have made none.
  if (found === undefined) return graphMissing(row, 'no graph index');
  const path = join(context.directory, row.file);
  const inDoubt = inFull || Math.floor(found.mtimeMs) !== row.file_mtime;
  // A modification time other than that of its segment means that it was changed: all of it is checked.
  const reason =
    index.info().graph.reason ?? (inDoubt ? await graphContentFault(path, index.metric, index.f) : undefined);
  if (reason === undefined) return undefined;
  if (reason === otherFormat) {
    return graphMissing(row, 'a graph index of another version');
  }
  const error = new SemanticIndexError('INVALID_FILE', `${graphPath(row.file)}: ${reason}`, {
    hint: 'No action needed: it is rebuilt, and answers are correct meanwhile.',
  });
  return damaged(row, error, slower);
}

/** The vectors of the documents from one key to another as the catalog has them, to be scanned. */
export async function scannedVectors(
  firstKey: number,
  lastKey: number,
  context: SegmentContext,
): Promise<SegmentVectors> {
  const vectors = new VectorBuffer(context.dimensions, context.metric);
  const found: number[] = [];
  for (let after = firstKey - 1; ; ) {
    const rows = await context.reader.documents.vectorsAfter(after, lastKey, vectorsPerRead);
    if (rows.keys.length === 0) break;
    vectors.append(rows.vectors);
    for (const key of rows.keys) found.push(key);
    after = rows.keys[rows.keys.length - 1] as number;
  }
  const keys: SortedKeys = { first: 0, offsets: Float64Array.from(found) };
  return new VectorsInMemory({ vectors, keys }, 'damaged');
}
