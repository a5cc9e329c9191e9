import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AnnoyIndex, bundledProvider } from 'semantic-index';
import { clusterRows } from './clusters.js';

/** Rows to search, queries that are not among them, and the true ten nearest of each. */
export interface VectorSet {
  readonly name: string;
  readonly dimensions: number;
  readonly vectors: Float32Array;
  readonly queries: Float32Array;
  readonly truth: Int32Array;
}

/** How deep recall is measured. */
export const depth = 10;

type Source = (
  data: string | undefined,
) => Promise<{ vectors: Float32Array; queries: Float32Array; dimensions: number }>;

function clusters(count: number, dimensions: number, queryCount: number): Source {
  return async () => {
    const shape = { dimensions, topics: Math.round(Math.sqrt(count) * 3), seed: 1 };
    const fill = (rows: number, part: number): Float32Array => {
      const all = new Float32Array(rows * dimensions);
      let at = 0;
      for (const row of clusterRows(shape, rows, part)) {
        all.set(row, at);
        at += dimensions;
      }
      return all;
    };
    return { vectors: fill(count, 1), queries: fill(queryCount, 2), dimensions };
  };
}

/** Paragraphs of articles and manuals, then sentences of them, through the bundled model; every 201st is a query. */
function texts(count: number, queryCount: number): Source {
  return async (data) => {
    if (data === undefined) throw new Error('this set needs --data, the folder that holds train/wikipedia.jsonl.xz');
    const lines = (file: string): string[] =>
      execFileSync('xz', ['-dc', join(data, 'train', file)], { maxBuffer: 2 ** 30 })
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '');
    const paragraphs = lines('wikipedia.jsonl.xz').flatMap((line) =>
      (JSON.parse(line) as { sections: { paragraphs: string[] }[] }).sections.flatMap((section) => section.paragraphs),
    );
    const sentences = paragraphs.flatMap((text) => text.split(/(?<=[.?!])\s+(?=[A-Z])/));
    const distinct = [...new Set([...paragraphs, ...sentences])].filter((text) => text.length > 40);
    const step = Math.max(1, Math.floor(distinct.length / (count + queryCount)));
    const chosen = distinct.filter((_, position) => position % step === 0).slice(0, count + queryCount);
    const every = Math.floor(chosen.length / queryCount);
    const isQuery = (_: string, position: number): boolean => position % every === 0 && position / every < queryCount;
    const provider = bundledProvider();
    const embed = async (some: string[], role: 'document' | 'query'): Promise<Float32Array> => {
      const dimensions = provider.dimensions as number;
      const all = new Float32Array(some.length * dimensions);
      for (let first = 0; first < some.length; first += 256) {
        const { vectors } = await provider.embed(some.slice(first, first + 256), { role });
        vectors.forEach((vector, row) => {
          const length = Math.hypot(...vector);
          all.set(
            vector.map((value) => value / length),
            (first + row) * dimensions,
          );
        });
      }
      return all;
    };
    const documents = chosen.filter((text, position) => !isQuery(text, position));
    const vectors = await embed(documents, 'document');
    const queries = await embed(chosen.filter(isQuery), 'query');
    const dimensions = provider.dimensions as number;
    await provider.close?.();
    return { vectors, queries, dimensions };
  };
}

/** TEXMEX's sift, 10,000 rows, scaled to unit length so that all engines order by the same metric. */
const sift: Source = async (data) => {
  if (data === undefined) throw new Error('this set needs --data, the folder that holds eval/ann/sift-10k.npz');
  const dimensions = 128;
  const rows = (name: string): Float32Array => {
    const npy = execFileSync('unzip', ['-p', join(data, 'eval/ann/sift-10k.npz'), `${name}.npy`], {
      maxBuffer: 2 ** 28,
    });
    const header = 10 + npy.readUInt16LE(8);
    const all = new Float32Array(new Uint8Array(npy.subarray(header)).buffer);
    for (let at = 0; at < all.length; at += dimensions) {
      const row = all.subarray(at, at + dimensions);
      const length = Math.hypot(...row);
      for (let column = 0; column < dimensions; column++) row[column] = (row[column] as number) / length;
    }
    return all;
  };
  return { vectors: rows('vectors'), queries: rows('queries'), dimensions };
};

/** Every set by its name. */
export const sets: Readonly<Record<string, Source>> = {
  'texts-200k': texts(200_000, 1_000),
  'sift-10k': sift,
  'clusters-20k': clusters(20_000, 384, 500),
  'clusters-100k': clusters(100_000, 384, 1_000),
  'clusters-100k-1536': clusters(100_000, 1536, 500),
  'clusters-1m': clusters(1_000_000, 384, 500),
};

/** The true neighbours, by looking at every row. */
async function truthOf(vectors: Float32Array, queries: Float32Array, dimensions: number): Promise<Int32Array> {
  const index = new AnnoyIndex(dimensions, 'angular');
  index.addItems(vectors);
  await index.build(1);
  const { items } = await index.getNnsByVectors(queries, depth, { exact: true });
  await index.close();
  return items;
}

function bytesOf(array: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function read(path: string): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

/** Makes a set, once; it is kept in the folder `cache`. */
export async function prepareSet(name: string, cache: string, data: string | undefined): Promise<string> {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const source = sets[name];
  if (source === undefined) throw new Error(`There is no set ${name}: ${Object.keys(sets).join(', ')}`);
  const { vectors, queries, dimensions } = await source(data);
  const truth = await truthOf(vectors, queries, dimensions);
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  // In pieces: one write takes at most two gigabytes.
  const bytes = bytesOf(vectors);
  writeFileSync(join(partial, 'vectors'), new Uint8Array());
  for (let at = 0; at < bytes.length; at += 2 ** 28) {
    writeFileSync(join(partial, 'vectors'), bytes.subarray(at, at + 2 ** 28), { flag: 'a' });
  }
  writeFileSync(join(partial, 'queries'), bytesOf(queries));
  writeFileSync(join(partial, 'truth'), bytesOf(truth));
  writeFileSync(join(partial, 'shape.json'), JSON.stringify({ name, dimensions }));
  renameSync(partial, folder);
  return folder;
}

export function loadSet(folder: string): VectorSet {
  const { name, dimensions } = JSON.parse(readFileSync(join(folder, 'shape.json'), 'utf8')) as VectorSet;
  return {
    name,
    dimensions,
    vectors: new Float32Array(read(join(folder, 'vectors'))),
    queries: new Float32Array(read(join(folder, 'queries'))),
    truth: new Int32Array(read(join(folder, 'truth'))),
  };
}
