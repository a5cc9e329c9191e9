import { join } from 'node:path';
import { vectorsPerRead } from '../../backend/batch-sizes.js';
import { crashPoint } from '../../crash-points.js';
import { SemanticIndexError } from '../../errors.js';
import type { DocumentId, Metric } from '../../types.js';
import type { AnnoyIndex } from '../../vectors/annoy/annoy-index.js';
import { checksumFile } from '../../vectors/checksum.js';
import type { Catalog } from '../catalog/catalog.js';
import type { NewColumnsFile, NewSegment, NewTermsFile } from '../catalog/segment-table.js';
import { fileFacts, setModified, writeLines } from '../directory/files.js';
import { makeSegmentFolder, removeUnfinished } from '../directory/segment-directory.js';
import { ColumnsBuilder } from './columns-builder.js';
import type { AnalyzeAction, MergeAction } from './planner.js';
import { TermsBuilder } from './terms-builder.js';

/**
 * Loaded when something is built: a thread that only reads or writes the catalog starts in half the time without it.
 */
async function annoy() {
  const [index, graph] = await Promise.all([
    import('../../vectors/annoy/annoy-index.js'),
    import('../../vectors/annoy/annoy-graph.js'),
  ]);
  return { ...index, ...graph };
}

/** What a forest is like. */
export interface ForestRequest {
  readonly metric: Metric;
  readonly dimensions: number;
  readonly trees: number;
  readonly seed: number;
  readonly threads: number;
}

/** A segment to be made for the documents with firstKey <= key <= lastKey. */
export interface BuildRequest extends ForestRequest {
  /** What it is built for. */
  readonly kind: MergeAction['kind'];
  readonly directory: string;
  /** A fresh name, which the catalog knows already. */
  readonly file: string;
  readonly firstKey: number;
  readonly lastKey: number;
}

/** The segment whose missing terms file and columns file are to be made. */
export interface AnalyzeRequest extends Omit<AnalyzeAction, 'kind'> {
  readonly directory: string;
  readonly threads: number;
}

/** Derived files on disk that no row names yet. */
export interface AnalyzedSegment {
  /** The .ann file of the segment. */
  readonly file: string;
  readonly documents: number;
  /** The setting by which the terms were derived. */
  readonly analysis: string;
  readonly files: Partial<NewTermsFile & NewColumnsFile>;
}

/** A segment on disk that no row names yet, and how far into the log of deletions it is complete. */
export interface BuiltSegment {
  /** Absent when no document is left in the range. */
  readonly segment?: NewSegment;
  readonly lastDeletion: number;
  /** The setting by which its terms were derived. */
  readonly analysis: string;
  /** Documents of the range that are not in it, because their vector cannot be compared. */
  readonly unsound: readonly DocumentId[];
}

/** Derives segment files from the vectors, texts and metadata in the catalog. Lives in a catalog thread. */
export class SegmentBuilder {
  readonly #catalog: Catalog;
  #running: AbortController | undefined;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /**
   * Writes the files of a segment, durable on return. It is not visible before its row is published.
   */
  build(request: BuildRequest): Promise<BuiltSegment> {
    return this.#cancelable((signal) => this.#build(request, signal));
  }

  /** Writes missing derived files of a segment, durable on return; undefined when the segment was replaced. */
  analyze(request: AnalyzeRequest): Promise<AnalyzedSegment | undefined> {
    return this.#cancelable(async (signal) => {
      const { directory, segment, threads, terms, columns } = request;
      const row = this.#catalog.segments.all().find((row) => row.segment === segment);
      if (row === undefined) return undefined;
      const analysis = this.#catalog.settings.analysis();
      const { file, first_key, file_mtime: modified } = row;
      const keys = keysOf(first_key, this.#catalog.segments.offsets(segment));
      await makeSegmentFolder(directory);
      await removeUnfinished(directory, file);
      const made = { directory, file, modified, sources: [], keys, threads };
      const files: Partial<NewTermsFile & NewColumnsFile> = {
        ...(terms && (await new TermsBuilder(this.#catalog, signal).write(made))),
      };
      if (terms) crashPoint('analyze.terms-written');
      if (columns) Object.assign(files, await new ColumnsBuilder(this.#catalog, signal).write(made));
      if (columns) crashPoint('analyze.columns-written');
      return { file, documents: keys.length, analysis, files };
    });
  }

  /** Writes one Annoy file of all documents, and `PATH.ids.jsonl` with the id of each item; returns how many. */
  exportForest(request: ForestRequest & { readonly path: string }): Promise<number> {
    return this.#cancelable(async (signal) => {
      const { path, metric, dimensions, trees, seed, threads } = request;
      const { AnnoyIndex } = await annoy();
      const index = new AnnoyIndex(dimensions, metric);
      try {
        const { offsets: keys } = await this.#readVectors(index, 0, Number.MAX_SAFE_INTEGER, signal);
        await index.build(trees, { seed, threads, signal });
        await index.save(path);
        const ids = this.#catalog.documents.byKeys(Array.from(keys)).map((document) => document?.id);
        await writeLines(`${path}.ids.jsonl`, ids);
        return keys.length;
      } finally {
        index.close();
      }
    });
  }

  async #cancelable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#running = controller;
    try {
      return await work(controller.signal);
    } catch (error) {
      if (!controller.signal.aborted) throw error;
      throw new SemanticIndexError('BUSY', 'The building of a segment was stopped', {
        hint: 'The index was being closed or moved to another model meanwhile. Try again.',
        cause: error,
      });
    } finally {
      this.#running = undefined;
    }
  }

  /** Aborts the running build, which then rejects. */
  cancel(): void {
    this.#running?.abort();
  }

  async #build(request: BuildRequest, signal: AbortSignal): Promise<BuiltSegment> {
    const { kind, directory, file, firstKey, lastKey, metric, dimensions, trees, seed, threads } = request;
    await makeSegmentFolder(directory);
    // Read before the rows: documents deleted during the read are in the log after it, so none reappears.
    const lastDeletion = this.#catalog.documents.lastDeletion();
    const analysis = this.#catalog.settings.analysis();
    const { AnnoyIndex, graphPath, canBuildGraph } = await annoy();
    const index = new AnnoyIndex(dimensions, metric);
    try {
      const { offsets, unsound } = await this.#readVectors(index, firstKey, lastKey, signal);
      if (offsets.length === 0) return { lastDeletion, analysis, unsound };
      crashPoint(`${kind}.vectors-read`);
      await index.build(trees, { seed, threads, signal });
      crashPoint(`${kind}.forest-built`);
      const hasGraph = canBuildGraph(metric, dimensions);
      if (hasGraph) await index.buildGraph({ threads, signal });
      const path = join(directory, file);
      await index.save(path);
      const { inUse, reason } = index.info().graph;
      // Published like this, it would be found wanting and made again, and so on.
      if (hasGraph && !inUse) throw new SemanticIndexError('IO', `The graph index of ${file} is invalid: ${reason}`);
      crashPoint(`${kind}.file-written`);
      const facts = await fileFacts(path);
      const modified = facts?.mtime ?? 0;
      // One time for all files: by it a touched one is recognised.
      if (hasGraph) await setModified(graphPath(path), modified);
      const keys = keysOf(firstKey, offsets);
      const sources = this.#catalog.segments
        .all()
        .filter((row) => firstKey <= row.first_key && row.last_key <= lastKey);
      const derived = { directory, file, modified, sources, keys, threads };
      const terms = await new TermsBuilder(this.#catalog, signal).write(derived);
      crashPoint(`${kind}.terms-written`);
      const columns = await new ColumnsBuilder(this.#catalog, signal).write(derived);
      crashPoint(`${kind}.columns-written`);
      const segment: NewSegment = {
        file,
        first_key: firstKey,
        last_key: lastKey,
        items: offsets.length,
        trees: index.getNTrees(),
        file_size: facts?.size ?? 0,
        file_mtime: modified,
        checksum: await checksumFile(path),
        ...terms,
        ...columns,
        offsets,
      };
      return { segment, lastDeletion, analysis, unsound };
    } finally {
      index.close();
    }
  }

  async #readVectors(
    index: AnnoyIndex,
    firstKey: number,
    lastKey: number,
    signal: AbortSignal,
  ): Promise<{ offsets: Uint32Array; unsound: DocumentId[] }> {
    const offsets: number[] = [];
    // A reading ends with a sound vector; what follows it is read twice.
    const unsound = new Set<number>();
    for (let after = firstKey - 1; ; ) {
      signal.throwIfAborted();
      const { keys, vectors, unsound: more } = this.#catalog.documents.vectorsAfter(after, lastKey, vectorsPerRead);
      for (const key of more) unsound.add(key);
      if (keys.length === 0)
        return { offsets: Uint32Array.from(offsets), unsound: this.#catalog.documents.idsOf([...unsound]) };
      index.addItems(vectors);
      for (const key of keys) offsets.push(key - firstKey);
      after = keys[keys.length - 1] as number;
      // Other calls to this thread come in between.
      await new Promise(setImmediate);
    }
  }
}

function keysOf(firstKey: number, offsets: Uint32Array): Float64Array {
  return Float64Array.from(offsets, (offset) => firstKey + offset);
}
