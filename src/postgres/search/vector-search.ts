import type { StoredDocument } from '../../backend/documents.js';
import type { KeyedNeighbor } from '../../backend/read-snapshot.js';
import type { Space } from '../../backend/space.js';
import type { Metric } from '../../types.js';
import { distanceSign } from '../../vectors/metric.js';
import type { Row, Statements } from '../connection/database.js';
import type { SchemaNames } from '../connection/schema.js';
import { vectorToText } from '../connection/vector-formats.js';
import { documentOf } from '../tables/document-reads.js';
import { endOf, type HnswIndex, type HnswPrecision, rangeSql } from '../tables/hnsw-index.js';
import { Parameters } from '../tables/parameters.js';
import type { Selection } from './selection.js';

/** Metrics that pgvector has. */
export type VectorMetric = Exclude<Metric, 'hamming'>;

/** Operators of pgvector, whose order is that of the metric, its classes of operators for HNSW, and scores of their distances: see `scoreOf`. */
const operators: Readonly<Record<VectorMetric, { operator: string; operatorClass: string; score: string }>> = {
  angular: { operator: '<=>', operatorClass: 'cosine_ops', score: '1 - distance' },
  euclidean: { operator: '<->', operatorClass: 'l2_ops', score: '1 / (1 + distance)' },
  manhattan: { operator: '<+>', operatorClass: 'l1_ops', score: '1 / (1 + distance)' },
  dot: { operator: '<#>', operatorClass: 'ip_ops', score: '-distance' },
};

/** Bounds of `hnsw.ef_search`. */
const maxEffort = 1_000;
const defaultEffort = 52;
/** Candidates of an index of halfvec for each one that is wanted: they are ordered by the exact vectors. */
const halfCandidates = 2;
/** Approximate searches reach into an index up to so many vectors before the rest is compared one by one. */
const maxScanned = 20_000;
/** Bytes of the longest text that is read along with distances: longer ones may lie outside of the row. */
const maxReadBytes = 4_096;
/** Distances of a search for up to so many are one text, which is sent and read sooner than a row for each. */
const maxJoined = 1_000;
/** Effort from which a search compares every vector; see `BackendFacts.maxNodes`. */
export const exactEffort = maxEffort + 1;

/** Columns of the row `d` of a document that is read along with its distance. */
const readColumns = 'd.id, d.text, d.metadata';
const keyedColumns = `d.key, ${readColumns}`;

const queryVector = '(SELECT whole FROM query)';

/** How the vectors of a search are compared. */
export interface VectorEffort {
  readonly exact: boolean;
  readonly searchK: number | undefined;
}

/** A search by vector. */
export interface NearestSearch {
  readonly vector: Float32Array;
  readonly limit: number;
  readonly selection: Selection;
  readonly effort: VectorEffort;
  /** How many of the nearest documents are read along with them, unless their texts are long. */
  readonly reads: number;
}

/** Whether two searches of one point in time find the same. */
function isSame(one: NearestSearch, other: NearestSearch): boolean {
  return (
    one.vector === other.vector &&
    one.limit === other.limit &&
    one.selection === other.selection &&
    one.effort.exact === other.effort.exact &&
    one.effort.searchK === other.effort.searchK &&
    one.reads === other.reads
  );
}

/** What a search by vector has found. */
export interface FoundNeighbors {
  readonly neighbors: KeyedNeighbor[];
  /** Whether every vector was compared. */
  readonly isExact: boolean;
  /** The documents of the nearest ones that were to be read. */
  readonly documents: readonly StoredDocument[];
}

/** Documents to be compared, and how those that are read are chosen. */
export interface DocumentComparison {
  readonly keys: readonly number[];
  /** Their scores without the similarity. */
  readonly parts: readonly number[];
  /** What the similarity is multiplied by in a score. */
  readonly weight: number;
  /** How many of the documents are read: those with the highest scores. */
  readonly reads: number;
}

/** Documents by key as far as they were asked for. */
export interface ComparedDocuments {
  readonly distances: ReadonlyMap<number, number>;
  readonly documents: readonly StoredDocument[];
}

/** What a statement finds. */
type Found = Omit<FoundNeighbors, 'isExact'>;

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
  readonly #hasDeleted: boolean;
  /** Vectors as text: that of a search by both sides is sent twice. */
  readonly #texts = new WeakMap<Float32Array, string>();
  /** The last search: a query whose words are corrected is ranked twice. */
  #last: { readonly search: NearestSearch; readonly found: Promise<FoundNeighbors> } | undefined;

  /** @param hasDeleted whether documents were deleted, whose vectors are still in the indexes. */
  constructor(
    statements: Statements,
    names: SchemaNames,
    metric: VectorMetric,
    space: Space,
    hnsw: readonly HnswIndex[],
    hasDeleted: boolean,
  ) {
    this.#statements = statements;
    this.#names = names;
    this.#metric = metric;
    this.#space = space;
    this.#hnsw = hnsw;
    this.#hasDeleted = hasDeleted;
  }

  /**
   * The nearest documents of a selection, ties by key: always min(limit, documents of it). Each index is walked, and the vectors in none
   * are compared one by one. A walk goes on until it has enough where some of what it meets may not count: other documents than those of the
   * selection, or deleted ones. Without an index, with a list of keys, or where this gives too few, every vector is compared.
   */
  nearest(search: NearestSearch): Promise<FoundNeighbors> {
    if (this.#last !== undefined && isSame(search, this.#last.search)) return this.#last.found;
    const found = this.#nearest(search);
    this.#last = { search, found };
    return found;
  }

  async #nearest({ vector, limit, selection, effort, reads }: NearestSearch): Promise<FoundNeighbors> {
    if (selection.keys?.length === 0) return { neighbors: [], isExact: true, documents: [] };
    const mayApproximate =
      this.#hnsw.length > 0 &&
      !effort.exact &&
      (effort.searchK ?? 0) < exactEffort &&
      selection.keys === undefined &&
      (this.#metric !== 'angular' || vector.some((component) => component !== 0));
    if (mayApproximate) {
      const walksOn = !selection.isAll || this.#hasDeleted ? [true] : [false, true];
      for (const isIterative of walksOn) {
        const found = await this.#approximate(
          vector,
          limit,
          selection,
          { searchK: effort.searchK, isIterative },
          reads,
        );
        if (found.neighbors.length === limit) return { ...found, isExact: false };
      }
    }
    return { ...(await this.#exact(vector, limit, selection, reads)), isExact: true };
  }

  /** One statement for all indexes and the rest, with its settings. */
  async #approximate(
    vector: Float32Array,
    limit: number,
    selection: Selection,
    { searchK, isIterative }: { readonly searchK: number | undefined; readonly isIterative: boolean },
    reads: number,
  ): Promise<Found> {
    const wanted = Math.max(searchK ?? defaultEffort, ...this.#hnsw.map((index) => wantedOf(index, limit)));
    // A sort would compare every vector; the walk along the index is already in order.
    const walksOn = isIterative
      ? `SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL hnsw.max_scan_tuples = ${maxScanned};`
      : 'SET LOCAL hnsw.iterative_scan = off;';
    const settings = `SET LOCAL hnsw.ef_search = ${Math.min(maxEffort, wanted)}; ${walksOn} SET LOCAL enable_sort = off;`;
    const parameters = new Parameters();
    const query = this.#querySql(vector, parameters);
    const passing = selection.sql(parameters, 'd.key');
    const read = reads > 0 ? `, ${readColumns}` : '';
    const walks = this.#hnsw.map(
      (index) => `(${this.#selectSql(read)}
        WHERE v.space = ${this.#space.space} AND v.role <> 1 AND ${rangeSql('v.vector', index)} AND ${passing}
        ORDER BY ${this.#walkSql(index)} LIMIT ${wantedOf(index, limit)})`,
    );
    const end = endOf(this.#hnsw);
    // With a bound on the other side, too, the planner would compare all pairs: its statistics lag behind what was added.
    const tail = `(${this.#selectSql()} WHERE d.vector > ${end} AND ${passing} ORDER BY distance, d.key LIMIT ${limit})`;
    const parts = [...walks, ...(Number.isFinite(end) ? [reads > 0 ? this.#withDocuments(tail) : tail] : [])];
    const best = reads > 0 ? `SELECT ${keyedColumns} FROM found d ORDER BY distance, key LIMIT ${reads}` : undefined;
    const text = this.#statement(query, parts.join(' UNION ALL '), limit, best);
    const options = { settings, isPlannedOnce: selection.isAll };
    const { neighbors, documents } = this.#found(await this.#statements.query(text, parameters.values, options));
    return { neighbors: this.#ordered(neighbors).slice(0, limit), documents };
  }

  async #exact(vector: Float32Array, limit: number, selection: Selection, reads: number): Promise<Found> {
    const parameters = new Parameters();
    const query = this.#querySql(vector, parameters);
    // The sum keeps an index of the bare distance out of it.
    const nearest = `(${this.#selectSql('', `${this.#distanceSql} + 0`)}
      WHERE ${selection.sql(parameters, 'd.key')} ORDER BY distance, d.key LIMIT ${limit})`;
    // Texts would be in a hash table of all documents.
    const best = `SELECT key, distance FROM found ORDER BY distance, key LIMIT ${reads}`;
    const text = this.#statement(query, nearest, limit, reads > 0 ? this.#withDocuments(best) : undefined);
    return this.#found(await this.#statements.query(text, parameters.values));
  }

  /** The distances of documents, and the best of these documents, unless their texts are long. */
  async compare(vector: Float32Array, { keys, parts, weight, reads }: DocumentComparison): Promise<ComparedDocuments> {
    const parameters = new Parameters();
    const query = this.#querySql(vector, parameters);
    const order = [...keys.keys()].sort((one, other) => (keys[one] as number) - (keys[other] as number));
    const ascending = parameters.numbers(order.map((place) => keys[place] as number));
    let [read, best]: [string, string | undefined] = ['', undefined];
    if (reads > 0) {
      // By the place of the key: a join with keys and parts takes the server longer.
      const known = parameters.floats(order.map((place) => parts[place] as number));
      read = `, (${known})[width_bucket(d.key, ${ascending})] AS part, ${readColumns}`;
      const score = `part + ${parameters.float(weight)} * (${operators[this.#metric].score})`;
      best = `SELECT ${keyedColumns} FROM found d ORDER BY ${score} DESC, key LIMIT ${reads}`;
    }
    const found = `${this.#selectSql(read)} WHERE d.key = ANY(${ascending})`;
    const text = this.#statement(query, found, keys.length, best);
    const { neighbors, documents } = this.#found(
      await this.#statements.query(text, parameters.values, { isPlannedOnce: true }),
    );
    return { distances: new Map(neighbors.map(({ key, distance }) => [key, distance])), documents };
  }

  /** The vector of the query, which the parts of a statement share: it is read once. */
  #querySql(vector: Float32Array, parameters: Parameters): string {
    const text = this.#texts.get(vector) ?? vectorToText(vector);
    this.#texts.set(vector, text);
    return `WITH query AS MATERIALIZED (SELECT ${parameters.bind(text)}::${this.#names.vector}.vector AS whole)`;
  }

  /** @param more further columns of the documents, with which they need not be looked up again. */
  #selectSql(more = '', distance = this.#distanceSql): string {
    return `SELECT d.key, ${distance} AS distance${more}
      FROM ${this.#names.table('vectors')} v JOIN ${this.#names.table('documents')} d ON d.vector = v.vector`;
  }

  /** The documents of a statement that gives keys with their distances. */
  #withDocuments(near: string): string {
    return `(SELECT near.key, near.distance, ${readColumns}
      FROM (${near}) AS near JOIN ${this.#names.table('documents')} d ON d.key = near.key)`;
  }

  /**
   * A statement that gives keys with their distances, in the order in which they were found, and documents as further rows.
   *
   * @param found statement of the keys and distances, of which there are at most `limit`.
   * @param best statement of the documents that are read.
   */
  #statement(query: string, found: string, limit: number, best: string | undefined): string {
    const pair = `key::text || ' ' || distance::text`;
    const distances = limit > maxJoined ? pair : `string_agg(${pair}, ' ')`;
    const start = `${query}, found AS MATERIALIZED (${found})`;
    if (best === undefined) return `${start} SELECT ${distances} AS distances FROM found`;
    return `${start}
      SELECT ${distances} AS distances, NULL::float8 AS key, NULL AS id, NULL::bytea AS text, NULL AS metadata FROM found
      UNION ALL
      SELECT NULL, key::float8, id, text, metadata FROM (${best}) AS best WHERE octet_length(text) <= ${maxReadBytes}`;
  }

  /** The rows of a statement: distances, and documents. */
  #found(rows: readonly Row[]): Found {
    const neighbors: KeyedNeighbor[] = [];
    const documents: StoredDocument[] = [];
    for (const row of rows) {
      if (row.distances === null) {
        if (row.key != null) documents.push(documentOf(row));
        continue;
      }
      const numbers = (row.distances as string).split(' ');
      for (let place = 0; place < numbers.length; place += 2) {
        neighbors.push({ key: Number(numbers[place]), distance: this.#public(Number(numbers[place + 1])) });
      }
    }
    return { neighbors, documents };
  }

  /** The distance by which an index is in order. */
  #walkSql({ precision }: HnswIndex): string {
    const indexed = hnswExpression(this.#names, this.#space, precision).replace('data', 'v.data');
    return `${indexed} ${this.#operator} ${queryVector}::${this.#names.vector}.${precision}(${this.#space.dimensions})`;
  }

  get #operator(): string {
    return `OPERATOR(${this.#names.vector}.${operators[this.#metric].operator})`;
  }

  /** The distance of pgvector in ascending order of nearness; the cosine distance of a vector of zeros, which has none, is 1. */
  get #distanceSql(): string {
    const distance = `(v.data ${this.#operator} ${queryVector})`;
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
