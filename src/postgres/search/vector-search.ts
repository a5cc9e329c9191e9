import type { KeyedNeighbor } from '../../backend/read-snapshot.js';
import type { Space } from '../../backend/space.js';
import type { Metric } from '../../types.js';
import { distanceSign } from '../../vectors/metric.js';
import type { Statements } from '../connection/database.js';
import { vectorToText } from '../connection/names.js';
import type { SchemaNames } from '../connection/schema.js';
import { endOf, type HnswIndex, type HnswPrecision, rangeSql } from '../tables/hnsw-index.js';
import { Parameters } from '../tables/parameters.js';
import type { Selection } from './selection.js';

/** Metrics that pgvector has. */
export type VectorMetric = Exclude<Metric, 'hamming'>;

/** Operators of pgvector, whose order is that of the metric, and its classes of operators for HNSW. */
const operators: Readonly<Record<VectorMetric, { operator: string; operatorClass: string }>> = {
  angular: { operator: '<=>', operatorClass: 'cosine_ops' },
  euclidean: { operator: '<->', operatorClass: 'l2_ops' },
  manhattan: { operator: '<+>', operatorClass: 'l1_ops' },
  dot: { operator: '<#>', operatorClass: 'ip_ops' },
};

/** Bounds of `hnsw.ef_search`. */
const maxEffort = 1_000;
const defaultEffort = 64;
/** Candidates of an index of halfvec for each one that is wanted: they are ordered by the exact vectors. */
const halfCandidates = 2;
/** Approximate searches reach into an index up to so many vectors before the rest is compared one by one. */
const maxScanned = 20_000;
/** Effort from which a search compares every vector; see `BackendFacts.maxNodes`. */
export const exactEffort = maxEffort + 1;

/** How the vectors of a search are compared. */
export interface VectorEffort {
  readonly exact: boolean;
  readonly searchK: number | undefined;
}

/** Neighbors, and whether every vector was compared. */
export interface FoundNeighbors {
  readonly neighbors: KeyedNeighbor[];
  readonly isExact: boolean;
}

/** The HNSW index of a space over the float32 vectors, or over them in half precision. */
export function hnswExpression(names: SchemaNames, { dimensions }: Space, precision: HnswPrecision): string {
  const whole = `(data::${names.vector}.vector(${dimensions}))`;
  return precision === 'vector' ? whole : `(${whole}::${names.vector}.halfvec(${dimensions}))`;
}

export function hnswOperatorClass(names: SchemaNames, metric: VectorMetric, precision: HnswPrecision): string {
  return `${names.vector}.${precision}_${operators[metric].operatorClass}`;
}

/** Candidates that are taken from an index for so many hits. */
function wantedOf({ precision }: HnswIndex, limit: number): number {
  return precision === 'halfvec' ? limit * halfCandidates : limit;
}

/** Most dimensions of an HNSW index of pgvector. */
export const maxHnswDimensions = { vector: 2_000, halfvec: 4_000 } as const;

/** Finds the nearest vectors. */
export class VectorSearch {
  readonly #statements: Statements;
  readonly #names: SchemaNames;
  readonly #metric: VectorMetric;
  readonly #space: Space;
  readonly #hnsw: readonly HnswIndex[];

  constructor(
    statements: Statements,
    names: SchemaNames,
    metric: VectorMetric,
    space: Space,
    hnsw: readonly HnswIndex[],
  ) {
    this.#statements = statements;
    this.#names = names;
    this.#metric = metric;
    this.#space = space;
    this.#hnsw = hnsw;
  }

  /**
   * The nearest documents of a selection, ties by key: always min(limit, documents of it). Each index is walked, and the vectors in none
   * are compared one by one. Without an index, with a list of keys, or where this gives too few, every vector is compared.
   */
  async nearest(
    vector: Float32Array,
    limit: number,
    selection: Selection,
    effort: VectorEffort,
  ): Promise<FoundNeighbors> {
    if (selection.keys?.length === 0) return { neighbors: [], isExact: true };
    const mayApproximate =
      this.#hnsw.length > 0 &&
      !effort.exact &&
      (effort.searchK ?? 0) < exactEffort &&
      selection.keys === undefined &&
      (this.#metric !== 'angular' || vector.some((component) => component !== 0));
    if (mayApproximate) {
      const neighbors = await this.#approximate(vector, limit, selection, effort.searchK);
      if (neighbors.length === limit) return { neighbors, isExact: false };
    }
    return { neighbors: await this.#exact(vector, limit, selection), isExact: true };
  }

  async #approximate(
    vector: Float32Array,
    limit: number,
    selection: Selection,
    searchK: number | undefined,
  ): Promise<KeyedNeighbor[]> {
    const { space } = this.#space;
    const effort = Math.min(
      maxEffort,
      Math.max(searchK ?? defaultEffort, ...this.#hnsw.map((index) => wantedOf(index, limit))),
    );
    // A sort would compare every vector; the walk along the index is already in order.
    const settings = `SET LOCAL hnsw.ef_search = ${effort}; SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL hnsw.max_scan_tuples = ${maxScanned}; SET LOCAL enable_sort = off;`;
    // Statements without parameters travel together.
    const isBare = selection.isAll;
    if (!isBare) await this.#statements.query(`${settings} SELECT 1`);
    const parameters = new Parameters();
    const text = vectorToText(vector);
    const query = isBare ? `'${text}'` : parameters.bind(text);
    const passing = selection.sql(parameters, 'd.key');
    const select = `SELECT d.key, ${this.#distanceSql(query)} AS distance
      FROM ${this.#names.table('vectors')} v JOIN ${this.#names.table('documents')} d ON d.vector = v.vector`;
    const walks = this.#hnsw.map(
      (index) => `(${select} WHERE v.space = ${space} AND v.role <> 1 AND ${rangeSql('v.vector', index)} AND ${passing}
        ORDER BY ${this.#walkSql(index, query)} LIMIT ${wantedOf(index, limit)})`,
    );
    const end = endOf(this.#hnsw);
    // With a bound on the other side, too, the planner would compare all pairs: its statistics lag behind what was added.
    const tail = `(${select} WHERE d.vector > ${end} AND ${passing} ORDER BY distance, d.key LIMIT ${limit})`;
    const rows = await this.#statements.query(
      `${isBare ? settings : ''} SELECT key::float8, distance FROM (
         ${[...walks, ...(Number.isFinite(end) ? [tail] : [])].join(' UNION ALL ')}) AS found`,
      isBare ? undefined : parameters.values,
    );
    const found = rows.map(({ key, distance }) => ({ key: key as number, distance: this.#public(distance as number) }));
    return this.#ordered(found).slice(0, limit);
  }

  /** The distance by which an index is in order. */
  #walkSql({ precision }: HnswIndex, query: string): string {
    const indexed = hnswExpression(this.#names, this.#space, precision).replace('data', 'v.data');
    return `${indexed} ${this.#operator} ${query}::${this.#names.vector}.${precision}(${this.#space.dimensions})`;
  }

  async #exact(vector: Float32Array, limit: number, selection: Selection): Promise<KeyedNeighbor[]> {
    const parameters = new Parameters();
    const distance = this.#distanceSql(parameters.bind(vectorToText(vector)));
    const rows = await this.#statements.query(
      // The sum keeps an index of the bare distance out of it.
      `SELECT key::float8, distance FROM (
         SELECT d.key, ${distance} + 0 AS distance
         FROM ${this.#names.table('vectors')} v JOIN ${this.#names.table('documents')} d ON d.vector = v.vector
         WHERE ${selection.sql(parameters, 'd.key')}
       ) AS found ORDER BY distance, key LIMIT ${limit}`,
      parameters.values,
    );
    return rows.map(({ key, distance }) => ({ key: key as number, distance: this.#public(distance as number) }));
  }

  /** The distances of documents, by key. */
  async distances(vector: Float32Array, keys: readonly number[]): Promise<Map<number, number>> {
    if (keys.length === 0) return new Map();
    const found = await this.#ofKeys(vector, keys);
    return new Map(found.map(({ key, distance }) => [key, distance]));
  }

  async #ofKeys(vector: Float32Array, keys: readonly number[]): Promise<KeyedNeighbor[]> {
    const parameters = new Parameters();
    const distance = this.#distanceSql(parameters.bind(vectorToText(vector)));
    const rows = await this.#statements.query(
      `SELECT d.key::float8, ${distance} AS distance
       FROM ${this.#names.table('documents')} d JOIN ${this.#names.table('vectors')} v ON v.vector = d.vector
       WHERE d.key = ANY(${parameters.numbers(keys)})`,
      parameters.values,
    );
    return rows.map(({ key, distance }) => ({ key: key as number, distance: this.#public(distance as number) }));
  }

  get #operator(): string {
    return `OPERATOR(${this.#names.vector}.${operators[this.#metric].operator})`;
  }

  /** The distance of pgvector in ascending order of nearness; the cosine distance of a vector of zeros, which has none, is 1. */
  #distanceSql(query: string): string {
    const { vector } = this.#names;
    const distance = `(v.data ${this.#operator} ${query}::${vector}.vector)`;
    return this.#metric === 'angular' ? `coalesce(nullif(${distance}, 'NaN'::float8), 1)` : distance;
  }

  /** The distance as the metric of the index defines it. */
  #public(distance: number): number {
    if (this.#metric === 'angular') return Math.sqrt(2 * distance);
    return this.#metric === 'dot' ? -distance : distance;
  }

  #ordered(neighbors: KeyedNeighbor[]): KeyedNeighbor[] {
    const sign = distanceSign(this.#metric);
    return neighbors.sort((a, b) => sign * (a.distance - b.distance) || a.key - b.key);
  }
}
