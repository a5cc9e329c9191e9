import type { ExportedBatch } from '../../backend/backend.js';
import type {
  DocumentChange,
  DocumentRows,
  KnownDuplicates,
  Representative,
  StoredDocument,
} from '../../backend/documents.js';
import type { KeyedVector } from '../../backend/read-snapshot.js';
import type { Space } from '../../backend/space.js';
import { type Random, sampleNumbers } from '../../random.js';
import type { DocumentId } from '../../types.js';
import type { Row, Statements } from '../connection/database.js';
import { idFromText, idToText, textFromBytes } from '../connection/names.js';
import type { SchemaNames } from '../connection/schema.js';
import { Parameters } from './parameters.js';
import { packedVectors, vectorRoles } from './vector-table.js';

const maxOfTheSame = 16;
const documentColumns = 'd.key::float8, d.id, d.text, d.metadata';

/** A filter as SQL over the row `d` of documents. */
export type Condition = (parameters: Parameters) => string;

const everything: Condition = () => 'true';

/** Reads documents as part of a transaction. */
export class DocumentReads {
  readonly #statements: Statements;
  readonly #documents: string;
  readonly #vectors: string;

  constructor(statements: Statements, names: SchemaNames) {
    this.#statements = statements;
    this.#documents = names.table('documents');
    this.#vectors = names.table('vectors');
  }

  async classify(documents: readonly { id: DocumentId; hash: string }[]): Promise<DocumentChange[]> {
    const ids = documents.map(({ id }) => idToText(id));
    const rows = await this.#statements.query(`SELECT id, hash FROM ${this.#documents} WHERE id = ANY($1::text[])`, [
      ids,
    ]);
    const known = new Map(rows.map(({ id, hash }) => [id as string, hash as string]));
    return documents.map(({ hash }, place) => {
      const stored = known.get(ids[place] as string);
      if (stored === undefined) return 'new';
      return stored === hash ? 'unchanged' : 'changed';
    });
  }

  async byIds(ids: readonly DocumentId[]): Promise<(StoredDocument | undefined)[]> {
    const texts = ids.map(idToText);
    const rows = await this.#statements.query(
      `SELECT ${documentColumns} FROM ${this.#documents} d WHERE d.id = ANY($1::text[])`,
      [texts],
    );
    const found = new Map(rows.map((row) => [row.id as string, documentOf(row)]));
    return texts.map((id) => found.get(id));
  }

  async byKeys(keys: readonly number[]): Promise<(StoredDocument | undefined)[]> {
    if (keys.length === 0) return [];
    const rows = await this.#statements.query(
      `SELECT ${documentColumns} FROM ${this.#documents} d WHERE d.key = ANY($1::bigint[])`,
      [keys],
      { isPlannedOnce: true },
    );
    const found = new Map(rows.map((row) => [row.key as number, documentOf(row)]));
    return keys.map((key) => found.get(key));
  }

  async bytesByKeys(keys: readonly number[]): Promise<number> {
    const [row] = await this.#statements.query(
      `SELECT coalesce(sum(octet_length(text) + coalesce(octet_length(metadata), 0)), 0)::float8 AS bytes
       FROM ${this.#documents} WHERE key = ANY($1::bigint[])`,
      [keys],
    );
    return row?.bytes as number;
  }

  async vectorOf(id: DocumentId): Promise<KeyedVector | undefined> {
    const [row] = await this.#statements.query(
      `SELECT d.key::float8, v.data::text FROM ${this.#documents} d JOIN ${this.#vectors} v ON v.vector = d.vector WHERE d.id = $1`,
      [idToText(id)],
    );
    return row && { key: row.key as number, vector: Float32Array.from(JSON.parse(row.data) as number[]) };
  }

  async vectorsByKeys(keys: readonly number[], dimensions: number, signal?: AbortSignal): Promise<Float32Array> {
    const rows =
      keys.length === 0
        ? []
        : await this.#statements.query(
            `SELECT d.key::float8, v.data::text FROM ${this.#documents} d JOIN ${this.#vectors} v ON v.vector = d.vector WHERE d.key = ANY($1::bigint[])`,
            [keys],
          );
    return packedVectors(keys, rows, dimensions, signal);
  }

  async list(
    condition: Condition | undefined,
    limit: number,
    afterKey: number,
    maxBytes: number | undefined,
  ): Promise<DocumentRows> {
    const parameters = new Parameters();
    const after = parameters.bind(afterKey);
    const matches = (condition ?? everything)(parameters);
    const rows = await this.#statements.query(
      `SELECT ${documentColumns}, octet_length(d.text) + coalesce(octet_length(d.metadata), 0) AS bytes FROM ${this.#documents} d
       WHERE d.key > ${after}::bigint AND ${matches} ORDER BY d.key LIMIT ${parameters.bind(limit + 1)}::bigint`,
      parameters.values,
    );
    let bytes = 0;
    const kept: StoredDocument[] = [];
    for (const row of rows.slice(0, limit)) {
      bytes += row.bytes as number;
      // One document is always among them.
      if (maxBytes !== undefined && bytes > maxBytes && kept.length > 0) return { rows: kept, hasMore: true };
      kept.push(documentOf(row));
    }
    return { rows: kept, hasMore: rows.length > limit };
  }

  async count(condition?: Condition): Promise<number> {
    const parameters = new Parameters();
    const matches = (condition ?? everything)(parameters);
    const [row] = await this.#statements.query(
      `SELECT count(*)::float8 AS count FROM ${this.#documents} d WHERE ${matches}`,
      parameters.values,
    );
    return row?.count as number;
  }

  /** Keys of documents that match, ascending; at most `limit`. */
  async keys(condition: Condition, limit?: number): Promise<number[]> {
    const parameters = new Parameters();
    const matches = condition(parameters);
    const bound = limit === undefined ? '' : `LIMIT ${limit}`;
    // Not in the order of the keys where there is a limit: a walk along the keys would test all documents.
    const rows = await this.#statements.query(
      `SELECT key::float8 FROM (SELECT d.key FROM ${this.#documents} d WHERE ${matches} ${bound}) AS found ORDER BY key`,
      parameters.values,
    );
    return rows.map(({ key }) => key as number);
  }

  async sampleKeys(count: number, random: Random): Promise<number[]> {
    const keys = await this.keys(everything);
    return sampleNumbers(count, keys.length, random).map((place) => keys[place] as number);
  }

  async textsAfter(afterKey: number, limit: number): Promise<{ key: number; text: string }[]> {
    const rows = await this.#statements.query(
      `SELECT d.key::float8, d.text FROM ${this.#documents} d JOIN ${this.#vectors} v ON v.vector = d.vector
       WHERE d.key > $1 AND v.role = ${vectorRoles.document} ORDER BY d.key LIMIT $2`,
      [afterKey, limit],
    );
    return rows.map(({ key, text }) => ({ key: key as number, text: textFromBytes(text) }));
  }

  /** Metadata of documents that match, in the order of their keys, in batches. */
  async *metadata(condition: Condition, size: number): AsyncGenerator<{ key: number; metadata: string | null }[]> {
    for (let after = 0; ; ) {
      const parameters = new Parameters();
      const from = parameters.bind(after);
      const rows = await this.#statements.query(
        `SELECT d.key::float8, d.metadata FROM ${this.#documents} d
         WHERE d.key > ${from}::bigint AND ${condition(parameters)} ORDER BY d.key LIMIT ${size}`,
        parameters.values,
      );
      yield rows as { key: number; metadata: string | null }[];
      if (rows.length < size) return;
      after = rows.at(-1)?.key as number;
    }
  }

  /** All documents with their vectors, in batches. */
  async *export(space: Space, total: number, size: number): AsyncGenerator<ExportedBatch> {
    for (let after = 0; ; ) {
      const rows = await this.#statements.query(
        `SELECT ${documentColumns}, v.role, v.data::text FROM ${this.#documents} d JOIN ${this.#vectors} v ON v.vector = d.vector
         WHERE d.key > $1 ORDER BY d.key LIMIT $2`,
        [after, size],
      );
      if (rows.length === 0) return;
      const keys = rows.map(({ key }) => key as number);
      const vectors = await packedVectors(keys, rows, space.dimensions);
      const documents = rows.map((row) => ({ ...documentOf(row), given: row.role === vectorRoles.given }));
      yield { documents, vectors, total, space };
      after = keys.at(-1) as number;
    }
  }

  async findDuplicates(
    ids: readonly DocumentId[],
    numbers: readonly number[],
    dimensions: number,
  ): Promise<KnownDuplicates> {
    const texts = ids.map(idToText);
    const known = await this.#statements.query(`SELECT id FROM ${this.#documents} WHERE id = ANY($1::text[])`, [texts]);
    const wanted = [...new Set(numbers)].filter((number) => number !== 0);
    const vectors = await this.#statements.query(
      `SELECT vector::float8 AS key, data::text FROM ${this.#vectors} WHERE vector = ANY($1::bigint[])`,
      [wanted],
    );
    const same = await this.#statements.query(
      `SELECT vector::float8, key::float8 FROM ${this.#documents} WHERE vector = ANY($1::bigint[]) ORDER BY key`,
      [wanted],
    );
    const keysOf = new Map<number, number[]>();
    for (const { vector, key } of same) {
      const keys = keysOf.get(vector as number) ?? [];
      if (keys.length < maxOfTheSame) keys.push(key as number);
      keysOf.set(vector as number, keys);
    }
    const ofIds = new Set(known.map(({ id }) => id as string));
    return {
      known: texts.map((id) => ofIds.has(id)),
      vectors: await packedVectors(numbers, vectors, dimensions),
      same: numbers.map((number) => keysOf.get(number) ?? []),
    };
  }

  async representatives(keys: readonly number[]): Promise<Representative[]> {
    const rows = await this.#statements.query(
      `SELECT d.key::float8, d.id, d.text FROM ${this.#documents} d
       WHERE d.key = ANY($1::bigint[]) AND (d.fields -> 'duplicateOf') IS NULL`,
      [keys],
    );
    const found = new Map(
      rows.map(({ key, id, text }) => [key as number, { key, id: idFromText(id), text: textFromBytes(text) }]),
    );
    return keys.flatMap((key) => (found.get(key) as Representative | undefined) ?? []);
  }
}

export function documentOf({ key, id, text, metadata }: Row): StoredDocument {
  return { key, id: idFromText(id), text: textFromBytes(text), metadata };
}
