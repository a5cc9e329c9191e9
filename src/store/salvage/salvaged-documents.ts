import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import {
  analysisFromSetting,
  analysisSettingName,
  englishSetting,
  type TextAnalysis,
} from '../../analysis/text-analysis.js';
import { contentHash } from '../../backend/content-hash.js';
import type { Space } from '../../backend/space.js';
import { SemanticIndexError } from '../../errors.js';
import type { DocumentId, Metric } from '../../types.js';
import { AnnoyIndex } from '../../vectors/annoy/annoy-index.js';
import { checksumFile } from '../../vectors/checksum.js';
import type { SegmentRow } from '../catalog/segment-table.js';
import { isSound } from '../catalog/sound-vectors.js';
import { vectorOf } from '../catalog/vector-table.js';
import { type IndexPaths, indexPaths } from '../directory/files.js';
import { segmentFacts } from '../directory/segment-directory.js';
import { connect } from '../sqlite/connection.js';
import { fromSqliteError } from '../sqlite/sqlite-error.js';
import { isMetadata } from '../validate/content-check.js';

/** What could be read of one document. */
export interface SalvagedDocument {
  readonly key: number;
  /** Undefined where it cannot be read any more. */
  readonly id: DocumentId | undefined;
  /** Undefined where it cannot be read, or is not what was stored. */
  readonly text: string | undefined;
  /** JSON; null for none, undefined where it cannot be read. */
  readonly metadata: string | null | undefined;
  readonly hash: string | undefined;
  readonly given: boolean;
  readonly vector: Float32Array | undefined;
}

/** The parts of a document that can be lost. */
export type LostPart = 'id' | 'text' | 'metadata' | 'vector';

/** What cannot be read of a document. Without its text a vector is of no use, so it is not looked for. */
export function lostParts({ id, text, metadata, vector }: SalvagedDocument): LostPart[] {
  const parts = { id, text, metadata, vector };
  const names: LostPart[] = text === undefined ? ['id', 'text', 'metadata'] : ['id', 'text', 'metadata', 'vector'];
  return names.filter((part) => parts[part] === undefined);
}

/** Whether it can be a document of another index; metadata may be missing. */
export function isWhole(document: SalvagedDocument): document is SalvagedDocument & {
  readonly id: DocumentId;
  readonly text: string;
  readonly hash: string;
  readonly vector: Float32Array;
} {
  const { id, text, hash, vector } = document;
  return id !== undefined && text !== undefined && hash !== undefined && vector !== undefined;
}

/** Keys that documents may have had. */
export interface UnreadableRange {
  readonly firstKey: number;
  readonly lastKey: number;
}

interface Row {
  readonly key: number;
  readonly id: DocumentId;
  readonly hash: Buffer;
  readonly vector: number;
  readonly metadata: string | null;
}

interface OpenSegment {
  readonly row: SegmentRow;
  readonly offsets: Uint32Array;
  readonly index: AnnoyIndex;
}

const keysPerReading = 512;

/**
 * Reads what can be read of an index with damaged pages. What is missing in the table of documents is read
 * elsewhere: ids from their index, vectors by the hash of the text and from the segments. Calls no model, writes nothing.
 */
export class SalvagedDocuments {
  readonly metric: Metric;
  readonly space: Space;
  /** How its texts are analyzed. */
  readonly analysis: TextAnalysis;
  readonly #db: Database;
  readonly #paths: IndexPaths;
  readonly #ids = new Map<number, DocumentId>();
  #knowsAllIds = false;
  readonly #lastKey: number;
  #segments: OpenSegment[] | undefined;
  readonly unreadable: UnreadableRange[] = [];

  private constructor(db: Database, paths: IndexPaths, metric: Metric, space: Space, analysis: TextAnalysis) {
    this.#db = db;
    this.#paths = paths;
    this.metric = metric;
    this.space = space;
    this.analysis = analysis;
    this.#readIds();
    const sequence = "SELECT seq FROM sqlite_sequence WHERE name = 'documents'";
    const highest = [...this.#ids.keys()].reduce((most, key) => Math.max(most, key), 0);
    this.#lastKey = Math.max(highest, (this.#attempt(() => db.prepare(sequence).pluck().get()) as number) ?? 0);
  }

  /** @throws NOT_AN_INDEX, CORRUPT when not even the list of tables, the settings or the model can be read, IO. */
  static open(directory: string): SalvagedDocuments {
    const paths = indexPaths(directory);
    let db: Database | undefined;
    try {
      db = connect({ path: paths.database, readonly: true, durability: 'process', busyTimeout: 5_000 });
      const setting = db.prepare<[string]>('SELECT value FROM settings WHERE name = ?').pluck();
      // One transaction, so that all is read as it is at one moment.
      db.exec('BEGIN');
      const space = db.prepare('SELECT * FROM spaces WHERE space = ?').get(setting.get('space')) as Space | undefined;
      if (space === undefined) {
        throw new SemanticIndexError('CORRUPT', `${paths.database} does not name the model of its vectors`, {
          hint: 'An index without documents has none: there is nothing to save. Otherwise restore a backup.',
        });
      }
      const analysis = analysisFromSetting(String(setting.get(analysisSettingName) ?? englishSetting));
      return new SalvagedDocuments(db, paths, setting.get('metric') as Metric, space, analysis);
    } catch (error) {
      db?.close();
      throw fromSqliteError(error);
    }
  }

  /** Each document of which anything is known, by key. */
  async *documents(): AsyncGenerator<SalvagedDocument[]> {
    for (let first = 1; first <= this.#lastKey; first += keysPerReading) {
      const last = Math.min(first + keysPerReading - 1, this.#lastKey);
      const rows = this.#rows(first, last);
      const keys = new Set(rows.keys());
      for (let key = first; key <= last; key++) if (this.#ids.has(key)) keys.add(key);
      const found: SalvagedDocument[] = [];
      for (const key of [...keys].sort((a, b) => a - b)) found.push(await this.#document(key, rows.get(key)));
      if (found.length > 0) yield found;
      await new Promise(setImmediate);
    }
  }

  close(): void {
    for (const { index } of this.#segments ?? []) index.close();
    this.#db.close();
  }

  /** The index of ids, from both ends: a damaged page in its middle hides neither side. */
  #readIds(): void {
    for (const order of ['ASC', 'DESC']) {
      const statement = this.#attempt(() =>
        this.#db.prepare(`SELECT key, id FROM documents INDEXED BY documents_by_id ORDER BY id ${order}`),
      );
      try {
        for (const row of statement?.iterate() ?? []) {
          const { key, id } = row as { key: number; id: DocumentId };
          this.#ids.set(key, id);
        }
        this.#knowsAllIds = statement !== undefined;
        if (this.#knowsAllIds) return;
      } catch (error) {
        if (!isUnreadable(error)) throw error;
      }
    }
  }

  #rows(first: number, last: number): Map<number, Row> {
    const select = 'SELECT key, id, hash, vector, metadata FROM documents NOT INDEXED WHERE';
    const read = (condition: string, ...keys: number[]) =>
      this.#attempt(() => this.#db.prepare(`${select} ${condition}`).all(...keys) as Row[]);
    const all = read('key BETWEEN ? AND ?', first, last);
    if (all !== undefined) return new Map(all.map((row) => [row.key, row]));
    const rows = new Map<number, Row>();
    for (let key = first; key <= last; key++) {
      // A range of one key reads on to the next row, which may be in a damaged page.
      const one = read('key = ?', key);
      if (one?.[0] !== undefined) rows.set(key, one[0]);
      else if (one === undefined && !this.#knowsAllIds && !this.#ids.has(key)) this.#addUnreadable(key);
    }
    return rows;
  }

  #addUnreadable(key: number): void {
    const before = this.unreadable.at(-1);
    const firstKey = before?.lastKey === key - 1 ? before.firstKey : key;
    if (before?.lastKey === key - 1) this.unreadable.pop();
    this.unreadable.push({ firstKey, lastKey: key });
  }

  async #document(key: number, row: Row | undefined): Promise<SalvagedDocument> {
    const stored = this.#attempt(() => this.#db.prepare('SELECT text FROM texts WHERE key = ?').pluck().get(key));
    const text = typeof stored === 'string' ? stored : undefined;
    const ofText = text === undefined ? undefined : contentHash(text);
    const hash = row?.hash.toString('base64url') ?? ofText;
    const metadata = row !== undefined && isMetadata(row.metadata) ? row.metadata : undefined;
    const id = row?.id ?? this.#ids.get(key);
    const isGiven = text !== undefined && hash !== ofText;
    const role = isGiven ? 'given' : 'document';
    const isRight = (data: Uint8Array | undefined): data is Uint8Array =>
      data !== undefined &&
      isSound(data, this.space.dimensions, role) &&
      (!isGiven || contentHash(data, text as string) === hash);
    const candidates = [() => this.#vector(row, hash), () => this.#segmentVector(key)];
    let vector: Float32Array | undefined;
    for (const candidate of candidates) {
      const data = text === undefined ? undefined : await candidate();
      if (!isRight(data)) continue;
      vector = vectorOf(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
      break;
    }
    // The hash covers a vector of the caller: without the vector, the text cannot be verified.
    const isIntact = !isGiven || vector !== undefined;
    return { key, id, text: isIntact ? text : undefined, metadata, hash, given: isGiven, vector };
  }

  #vector(row: Row | undefined, hash: string | undefined): Buffer | undefined {
    const ofRow = row === undefined ? undefined : this.#data('vector = ?', row.vector);
    if (ofRow !== undefined || hash === undefined) return ofRow;
    return this.#data('hash = ? AND space = ? AND role = 0', Buffer.from(hash, 'base64url'), this.space.space);
  }

  #data(condition: string, ...values: (number | Buffer)[]): Buffer | undefined {
    const select = `SELECT data FROM vectors WHERE ${condition}`;
    return this.#attempt(() =>
      this.#db
        .prepare(select)
        .pluck()
        .get(...values),
    ) as Buffer | undefined;
  }

  async #segmentVector(key: number): Promise<Uint8Array | undefined> {
    this.#segments ??= await this.#openSegments();
    const segment = this.#segments.find(({ row }) => row.first_key <= key && key <= row.last_key);
    const item = segment?.offsets.indexOf(key - segment.row.first_key) ?? -1;
    if (segment === undefined || item < 0) return undefined;
    const vector = segment.index.getItemVector(item);
    return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  }

  /** The sound segments; a segment of bits does not have the original vectors. */
  async #openSegments(): Promise<OpenSegment[]> {
    const rows = this.#attempt(() => this.#db.prepare('SELECT * FROM segments').all()) ?? [];
    const segments: OpenSegment[] = [];
    for (const row of (this.metric === 'hamming' ? [] : rows) as (SegmentRow & { keys: Buffer })[]) {
      const path = join(this.#paths.segments, row.file);
      try {
        const facts = segmentFacts(this.#paths.segments, row.file);
        if (facts?.size !== row.file_size || (await checksumFile(path)) !== row.checksum) continue;
        const index = await AnnoyIndex.open(path, { f: this.space.dimensions, metric: this.metric });
        const offsets = new Uint32Array(row.keys.byteLength / 4);
        new Uint8Array(offsets.buffer).set(row.keys);
        segments.push({ row, offsets, index });
      } catch {
        // Then its vectors are reported as lost.
      }
    }
    return segments;
  }

  /** Undefined where a page cannot be read. */
  #attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return undefined;
    }
  }
}

function isUnreadable(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|IOERR|NOTADB|ERROR|MISMATCH)/.test(String((error as { code?: unknown } | null)?.code));
}
