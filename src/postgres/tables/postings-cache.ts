import { TimeSlice } from '../../time-slice.js';
import type { Statements } from '../connection/database.js';
import type { SchemaNames } from '../connection/schema.js';
import { decodePostings, joinedPostings, noPostings, type Postings, unitedPostings, withoutKeys } from './postings.js';

/** Bytes of postings that an open index keeps, about. */
const maxBytes = 64 * 2 ** 20;
/** Bytes of a posting, and of a term without any. */
const [bytesOfPosting, bytesOfTerm] = [16, 256];

/** The point in time that postings are of. */
export interface PostingsPosition {
  /** Grows with each write. */
  readonly version: number;
  /** Number of the last deletion. */
  readonly deletions: number;
  /** Grows when postings are written again: earlier ones and the numbers of deletions are void. */
  readonly epoch: number;
}

interface Entry extends PostingsPosition {
  readonly postings: Postings;
  /** Key of the last posting that was read, also when its document is deleted. */
  readonly lastKey: number;
}

/** Postings of terms that were read lately, of an open index. Bounded: those used longest ago are dropped first. */
export class PostingsCache {
  readonly #names: SchemaNames;
  readonly #maxBytes: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(names: SchemaNames, bytes = maxBytes) {
    this.#names = names;
    this.#maxBytes = bytes;
  }

  /** The postings as a transaction sees them. */
  at(statements: Statements, position: PostingsPosition): TermPostings {
    return new TermPostings(this, statements, this.#names, position);
  }

  find(term: string): Entry | undefined {
    const entry = this.#entries.get(term);
    if (entry !== undefined) {
      this.#entries.delete(term);
      this.#entries.set(term, entry);
    }
    return entry;
  }

  keep(term: string, entry: Entry): void {
    const known = this.#entries.get(term);
    if (known !== undefined) {
      // Another search has read a newer one meanwhile.
      if (known.epoch > entry.epoch || (known.epoch === entry.epoch && known.version > entry.version)) return;
      this.#drop(term, known);
    }
    if (bytesOf(entry) > this.#maxBytes / 4) return;
    this.#entries.set(term, entry);
    this.#bytes += bytesOf(entry);
    for (const [oldest, one] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest, one);
    }
  }

  #drop(term: string, entry: Entry): void {
    this.#entries.delete(term);
    this.#bytes -= bytesOf(entry);
  }
}

function bytesOf({ postings }: Entry): number {
  return bytesOfTerm + bytesOfPosting * postings.keys.length;
}

/** Reads the postings of terms as of one point in time: what was added since an earlier reading, without what was deleted. */
export class TermPostings {
  readonly #cache: PostingsCache;
  readonly #statements: Statements;
  readonly #names: SchemaNames;
  readonly #position: PostingsPosition;
  /** Those of this point in time. */
  readonly #read = new Map<string, Postings>();
  /** Documents that were deleted after a deletion, by its number. */
  readonly #deleted = new Map<number, Promise<ReadonlySet<number>>>();

  constructor(cache: PostingsCache, statements: Statements, names: SchemaNames, position: PostingsPosition) {
    this.#cache = cache;
    this.#statements = statements;
    this.#names = names;
    this.#position = position;
  }

  /** The postings of each term; those of one list count as one term. */
  async united(lists: readonly (readonly string[])[]): Promise<Postings[]> {
    await this.load(lists.flat());
    return lists.map((terms) => unitedPostings(terms.map((term) => this.#read.get(term) as Postings)));
  }

  /** The postings of one term. */
  async of(term: string): Promise<Postings> {
    await this.load([term]);
    return this.#read.get(term) as Postings;
  }

  /** Reads the postings of terms that were not read yet, by one statement. */
  async load(terms: readonly string[]): Promise<void> {
    const { version, epoch, deletions } = this.#position;
    const stale: string[] = [];
    const before = new Map<string, Entry>();
    for (const term of new Set(terms)) {
      if (this.#read.has(term)) continue;
      const entry = this.#cache.find(term);
      if (entry?.epoch === epoch && entry.version === version) {
        this.#read.set(term, entry.postings);
        continue;
      }
      stale.push(term);
      // A newer one has forgotten what this point in time still has.
      if (entry?.epoch === epoch && entry.version < version) before.set(term, entry);
    }
    if (stale.length === 0) return;
    const rows = await this.#statements.query(
      `SELECT l.term, l.data FROM unnest($1::text[], $2::bigint[]) AS t(term, after)
       JOIN ${this.#names.table('term_lists')} l ON l.term = t.term AND l.last_key > t.after ORDER BY l.last_key`,
      [stale, stale.map((term) => before.get(term)?.lastKey ?? 0)],
      { isPlannedOnce: true },
    );
    const added = new Map<string, Uint8Array[]>();
    for (const { term, data } of rows) {
      const known = added.get(term as string);
      if (known === undefined) added.set(term as string, [data as Uint8Array]);
      else known.push(data as Uint8Array);
    }
    const slice = new TimeSlice();
    for (const term of stale) {
      const known = before.get(term);
      const parts = [known?.postings ?? noPostings];
      let lastKey = known?.lastKey ?? 0;
      const all: Postings[] = [];
      for (const data of added.get(term) ?? []) {
        const part = decodePostings(data, lastKey);
        lastKey = part.keys.at(-1) ?? lastKey;
        all.push(part);
        if (slice.due()) await slice.yieldIfDue();
      }
      const gone = await this.#deletedAfter(known?.deletions ?? 0);
      const postings = withoutKeys(joinedPostings([...parts, ...all]), gone);
      this.#read.set(term, postings);
      this.#cache.keep(term, { version, epoch, deletions, postings, lastKey });
      if (slice.due()) await slice.yieldIfDue();
    }
  }

  #deletedAfter(deletion: number): Promise<ReadonlySet<number>> {
    if (deletion >= this.#position.deletions) return Promise.resolve(new Set());
    let known = this.#deleted.get(deletion);
    if (known === undefined) {
      known = this.#statements
        .query(`SELECT key::float8 FROM ${this.#names.table('deleted')} WHERE deletion > $1`, [deletion])
        .then((rows) => new Set(rows.map(({ key }) => key as number)));
      this.#deleted.set(deletion, known);
    }
    return known;
  }
}
