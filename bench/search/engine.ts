import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Paragraph } from './corpus.js';

export type Mode = 'text' | 'vector' | 'hybrid';

/** A filter that every engine can express: `bucket < below`, a share of `below / 1000` of the documents. */
export interface Filter {
  readonly below: number;
}

/** A document found, with its text: an engine that returns less has not answered. */
export interface Found {
  readonly id: string;
  readonly text: string;
}

/** Documents and their vectors, one after the other. */
export interface Batch {
  readonly paragraphs: readonly Paragraph[];
  readonly vectors: Float32Array;
}

/** An index that is open. */
export interface OpenEngine {
  /** Adds documents; on return they can be searched, by an index or by a scan. */
  add(batch: Batch): Promise<void>;
  /** Builds whatever makes searches fast. */
  build(): Promise<void>;
  /** The best `k`. `vector` is the question under the bundled model; an engine that embeds by itself ignores it. */
  search(mode: Mode, text: string, vector: Float32Array, k: number, filter?: Filter): Promise<readonly Found[]>;
  close(): Promise<void>;
}

/** A library that searches by meaning, by words, or both. */
export interface SearchEngine {
  /** Name and version, for the report. */
  readonly library: string;
  /** What it can do; others are left out of the report. */
  readonly modes: readonly Mode[];
  /** How rankings are fused. */
  readonly fusion?: string | undefined;
  /** Documents that one call of `add` takes best. */
  readonly batchSize: number;
  /** Whether it embeds texts by itself, so that the time of embedding is in its searches and additions. */
  readonly embeds?: boolean;
  /** Whether it is on disk, and can be opened again. */
  readonly persistent: boolean;
  /** Opens the index in a folder, which is empty or was written by it. */
  open(folder: string, dimensions: number): Promise<OpenEngine>;
}

/** Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009) with the usual constant of 60. */
export function reciprocalRankFusion(lists: readonly (readonly Found[])[], k: number): Found[] {
  const scores = new Map<string, { found: Found; score: number }>();
  for (const list of lists) {
    list.forEach((found, rank) => {
      const known = scores.get(found.id);
      const score = 1 / (60 + rank + 1);
      if (known === undefined) scores.set(found.id, { found, score });
      else known.score += score;
    });
  }
  return [...scores.values()]
    .sort((a, b) => b.score - a.score)
    .slice(0, k)
    .map(({ found }) => found);
}

export function rowOf(vectors: Float32Array, row: number, dimensions: number): Float32Array {
  return vectors.subarray(row * dimensions, (row + 1) * dimensions);
}

/** Bytes of all files in a folder. */
export function folderBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
