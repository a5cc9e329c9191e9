import type { NativeColumnsSnapshot, NativeFilteredItems } from '../../addon/native-columns.js';
import type { Field } from '../../backend/filter-tree.js';
import { filterColumns, snapshotOf } from '../../columns/columns.js';
import type { FieldColumn } from '../../columns/field-column.js';
import type { FilterProgram } from '../../columns/filter-program.js';
import { SemanticIndexError } from '../../errors.js';
import { TimeSlice } from '../../time-slice.js';
import { addItem, type Bitset, countItems, createBitset } from '../../vectors/bitset.js';
import type { Catalog } from '../catalog/catalog.js';
import type { SqlFilter } from '../catalog/document-table.js';
import { keptChanges } from '../catalog/metadata/metadata-table.js';
import { keyAt, type SortedKeys } from '../catalog/sorted-keys.js';
import type { CatalogClient } from '../writer/catalog-client.js';
import { fieldColumnOf, forgetFields, isFieldKept, keptColumns } from './fields/field-columns.js';
import { forgetMatches, keepMatches, keptMatches } from './fields/kept-matches.js';
import { PartColumns } from './part-columns.js';
import type { SegmentColumns } from './stored-columns.js';

/** A filter in both forms: for columns, and as SQL for documents that columns cannot decide, which is made when it is needed. */
export interface SnapshotFilter {
  sql(): SqlFilter;
  readonly program: FilterProgram;
}

/** What is read from columns at one point in time. */
export interface ColumnsRequest {
  readonly filters: readonly SnapshotFilter[];
  /** So many of the filters, the first ones, come again and again: what they match is kept until metadata changes. */
  readonly kept?: number | undefined;
  readonly fields: readonly Field[];
}

/** The answer: for each filter its items in each part, and for the name of each field its values in each part. */
export interface ColumnsReading {
  readonly matching: readonly Bitset[][];
  readonly fields: ReadonlyMap<string, readonly FieldColumn[]>;
}

/** A run of documents of a snapshot: a segment, or the tail. */
interface Part {
  readonly keys: SortedKeys;
  readonly alive: Bitset | undefined;
  readonly columns: SegmentColumns | undefined;
}

/** Documents whose metadata is packed in one call to the catalog thread, and those that are packed in this thread in 1 or 2 ms. */
const [documentsPerCall, maxShortDocuments] = [2048, 512];
/** Documents that columns cannot decide: so many are looked up, more are found by SQL alone. */
const maxUndecided = 2048;
const documentsPerTurn = 32;

/**
 * The columns of the documents of a snapshot: mapped files of segments, and in memory the tail and segments without a sound file. What
 * is in memory is read in the background after the first filter. All follow the catalog.
 */
export class MetadataColumns {
  readonly #reader: CatalogClient;
  /** Columns of files that lack more changes than the log has: they are read from the catalog. */
  readonly #behind = new WeakSet<PartColumns>();
  /** In memory, by the keys of a segment, which its snapshots share. */
  readonly #segments = new Map<SortedKeys, PartColumns>();
  #tail: PartColumns | undefined;
  #reading: Promise<void> | undefined;

  constructor(reader: CatalogClient) {
    this.#reader = reader;
  }

  /**
   * The items of each part that match a filter as of the read of `catalog`, which is one point in time. Undefined when columns
   * cannot answer: some are not read yet, or show a later point in time, or leave too many documents undecided.
   */
  async matching(
    segments: readonly Part[],
    tail: Part | undefined,
    filter: SnapshotFilter,
    catalog: Catalog,
    signal: AbortSignal | undefined,
  ): Promise<Bitset[] | undefined> {
    try {
      const found = await this.read(segments, tail, { filters: [filter], fields: [] }, catalog, signal, maxUndecided);
      return found?.matching[0];
    } catch (error) {
      // A program has limits that SQL does not have.
      if (SemanticIndexError.is(error, 'INVALID_ARGUMENT')) return undefined;
      throw error;
    }
  }

  /** Resolves when what is read in the background is read. */
  async settled(): Promise<void> {
    await this.#reading;
  }

  /** The result of `read`, if all of it was read before, at the same point in time. */
  readNow(
    segments: readonly Part[],
    tail: Part | undefined,
    request: ColumnsRequest,
    catalog: Catalog,
  ): ColumnsReading | undefined {
    const stored = segments.map(({ columns }) => columns?.known);
    const columns = this.#columnsOf(segments, stored, tail, catalog);
    return columns && keptReadingOf(columns, request);
  }

  /**
   * The items of each part that match filters, and the values of fields, as of the read of `catalog`. Undefined when columns cannot
   * answer now: once `settled` resolves, another read may be answered.
   *
   * @param limit documents that columns cannot decide; more are not looked up. Default: all are.
   */
  async read(
    segments: readonly Part[],
    tail: Part | undefined,
    { filters, fields, kept = 0 }: ColumnsRequest,
    catalog: Catalog,
    signal: AbortSignal | undefined,
    limit = Number.POSITIVE_INFINITY,
  ): Promise<ColumnsReading | undefined> {
    const parts = tail === undefined ? segments : [...segments, tail];
    const stored = await Promise.all(segments.map(({ columns }) => columns?.source(signal)));
    const columns = this.#columnsOf(segments, stored, tail, catalog);
    if (columns === undefined) {
      this.#inBackground(() => this.#readAll(segments, stored, tail));
      return undefined;
    }
    const keptReading = keptReadingOf(columns, { filters, fields, kept });
    if (keptReading !== undefined) return keptReading;
    // Before anything is awaited: columns may follow the catalog meanwhile.
    const versions = columns.map(({ version }) => version);
    const known = filters.map((filter, place) => (place < kept ? keptMatches(columns, filter) : undefined));
    const hasRead = fields.some((field) => columns.some((part) => !isFieldKept(part, field)));
    const isKept = !hasRead && !known.includes(undefined);
    const snapshots = isKept ? [] : columns.map(({ native }) => snapshotOf(native));
    try {
      const read = new Map<string, readonly FieldColumn[]>();
      const reading = fields.map((field) =>
        columns.map((part, place) =>
          fieldColumnOf(part, snapshots[place] as NativeColumnsSnapshot, field, (parts[place] as Part).keys, catalog),
        ),
      );
      const settled = await Promise.allSettled(reading.map((ofParts) => Promise.all(ofParts)));
      let isFresh = fields.length > 0 && hasRead;
      const matching: Bitset[][] = [];
      for (const [place, filter] of filters.entries()) {
        const own = known[place];
        const found = own ?? (await this.#evaluate(snapshots, parts, filter, catalog, signal, limit));
        if (found === undefined) return undefined;
        isFresh ||= own === undefined;
        matching.push(found);
      }
      for (const [place, result] of settled.entries()) {
        if (result.status === 'rejected') throw result.reason;
        read.set((fields[place] as Field).name, result.value);
      }
      // What was kept was sound when it was read.
      if (isFresh && !(await areSound(segments, stored))) {
        forgetKept(columns);
        return undefined;
      }
      // Columns may have documents that this snapshot does not.
      const isWhole = columns.every(({ count }, place) => count === (parts[place] as Part).keys.offsets.length);
      for (let place = 0; place < kept && isWhole; place++) {
        keepMatches(columns, versions, filters[place] as SnapshotFilter, matching[place] as Bitset[]);
      }
      return { matching, fields: read };
    } catch (error) {
      signal?.throwIfAborted();
      if (SemanticIndexError.is(error, 'INVALID_FILE')) {
        // What is damaged is replaced, and the next filter does without it.
        await Promise.all(segments.map(({ columns }) => columns?.verify(signal)));
        return undefined;
      }
      throw error;
    } finally {
      for (const snapshot of snapshots) snapshot.close();
    }
  }

  /** The items of each part that match a filter; undefined when columns leave too many documents undecided. */
  async #evaluate(
    snapshots: readonly NativeColumnsSnapshot[],
    parts: readonly Part[],
    filter: SnapshotFilter,
    catalog: Catalog,
    signal: AbortSignal | undefined,
    limit: number,
  ): Promise<Bitset[] | undefined> {
    let found: readonly NativeFilteredItems[];
    try {
      found = await filterColumns(snapshots, filter.program, signal);
    } catch (error) {
      // A program has limits that SQL does not have.
      if (!SemanticIndexError.is(error, 'INVALID_ARGUMENT') || limit < Number.POSITIVE_INFINITY) throw error;
      found = snapshots.map(({ items }) => ({
        certain: createBitset(items, false),
        possible: createBitset(items, true),
      }));
    }
    const undecided = found.reduce(
      (sum, { certain, possible }) => sum + (possible === undefined ? 0 : countItems(possible) - countItems(certain)),
      0,
    );
    if (undecided > limit) return undefined;
    const matching: Bitset[] = [];
    for (const [position, { certain, possible }] of found.entries()) {
      const { keys } = parts[position] as Part;
      const allowed = certain.slice(0, (keys.offsets.length + 31) >>> 5);
      clearBeyond(allowed, keys.offsets.length);
      if (possible !== undefined)
        await addUndecided(allowed, possible, parts[position] as Part, catalog, filter, signal);
      matching.push(allowed);
    }
    return matching;
  }

  /** The columns of all parts as of a read; undefined when they are not at that point in time. */
  #columnsOf(
    segments: readonly Part[],
    stored: readonly (PartColumns | undefined)[],
    tail: Part | undefined,
    catalog: Catalog,
  ): PartColumns[] | undefined {
    if (this.#reading !== undefined) return undefined;
    const columns: PartColumns[] = [];
    for (const [position, { keys }] of segments.entries()) {
      const known = this.#usable(stored[position]) ?? this.#segments.get(keys);
      if (known === undefined) return undefined;
      columns.push(known);
    }
    if (tail !== undefined) {
      const known = this.#tail;
      if (known?.isBeginOf(tail.keys) !== true) return undefined;
      const next = known.next(tail.keys, maxShortDocuments + 1);
      if (next.length > maxShortDocuments) return undefined;
      if (next.length > 0) known.append(tail.keys, next.length, catalog.metadata.pack(next));
      columns.push(known);
    }
    return this.#follow(columns, catalog) ? columns : undefined;
  }

  /** The columns of a file, unless they lack more changes than the log has. */
  #usable(stored: PartColumns | undefined): PartColumns | undefined {
    return stored !== undefined && !this.#behind.has(stored) ? stored : undefined;
  }

  /** Brings columns to the state of a read. False when they are past it, or too far behind. */
  #follow(columns: readonly PartColumns[], catalog: Catalog): boolean {
    const last = catalog.lastMetadataChange();
    if (columns.some(({ through }) => through > last)) return false;
    const from = columns.reduce((least, part) => Math.min(least, part.from), last);
    if (from === last) return true;
    const keys = catalog.metadata.changedAfter(from, maxShortDocuments);
    if (keys === undefined) {
      this.#inBackground(() => this.#catchUp(columns, from));
      return false;
    }
    const batch = catalog.metadata.pack(keys);
    for (const part of columns) {
      part.replace(keys, batch);
      part.caughtUp(last);
      part.compact();
    }
    return true;
  }

  /** Reads all changes of metadata after this one. Columns that lack more than the log has are read again. */
  async #catchUp(columns: readonly PartColumns[], from: number): Promise<void> {
    const { metadata } = this.#reader;
    const last = await metadata.lastChange();
    const keys = await metadata.changedAfter(from, keptChanges);
    if (keys === undefined) {
      for (const part of columns) if (part.from === from) this.#behind.add(part);
      this.#forget();
      return;
    }
    for (let first = 0; first < keys.length; first += documentsPerCall) {
      const some = keys.slice(first, first + documentsPerCall);
      const batch = await metadata.pack(Array.from(some));
      for (const part of columns) await part.replaceLater(some, batch);
    }
    for (const part of columns) {
      part.caughtUp(last);
      part.compact();
    }
  }

  /** Until it has ended, SQL answers; the next filter tries again what failed. */
  #inBackground(work: () => Promise<void>): void {
    this.#reading ??= work()
      .catch(() => {})
      .finally(() => {
        this.#reading = undefined;
      });
  }

  /** Frees the columns; a later filter reads them again. */
  close(): void {
    this.#forget();
  }

  #forget(): void {
    for (const { native } of this.#segments.values()) native.close();
    this.#segments.clear();
    this.#tail?.native.close();
    this.#tail = undefined;
  }

  async #readAll(
    segments: readonly Part[],
    stored: readonly (PartColumns | undefined)[],
    tail: Part | undefined,
  ): Promise<void> {
    this.#keepOnly(segments);
    for (const [position, { keys }] of segments.entries()) {
      if (this.#segments.has(keys) || this.#usable(stored[position]) !== undefined) continue;
      const columns = new PartColumns(keys);
      await this.#readPart(columns, keys);
      this.#segments.set(keys, columns);
    }
    if (tail === undefined) return;
    if (this.#tail?.isBeginOf(tail.keys) !== true) {
      this.#tail?.native.close();
      this.#tail = new PartColumns(tail.keys);
    }
    await this.#readPart(this.#tail, tail.keys);
  }

  /** Frees the columns of segments that were replaced. */
  #keepOnly(segments: readonly Part[]): void {
    for (const [keys, { native }] of this.#segments) {
      if (segments.some((segment) => segment.keys === keys)) continue;
      native.close();
      this.#segments.delete(keys);
    }
  }

  async #readPart(columns: PartColumns, keys: SortedKeys): Promise<void> {
    for (
      let next = columns.next(keys, documentsPerCall);
      next.length > 0;
      next = columns.next(keys, documentsPerCall)
    ) {
      const batch = await this.#reader.metadata.pack(Array.from(next));
      await columns.appendLater(keys, next.length, batch);
      columns.compact();
    }
  }
}

/** What was read before, if that is all. It was sound then. */
function keptReadingOf(
  columns: readonly PartColumns[],
  { filters, fields, kept = 0 }: ColumnsRequest,
): ColumnsReading | undefined {
  if (kept < filters.length) return undefined;
  const read = new Map<string, readonly FieldColumn[]>();
  for (const field of fields) {
    const values = keptColumns(columns, field);
    if (values === undefined) return undefined;
    read.set(field.name, values);
  }
  const matching: Bitset[][] = [];
  for (const filter of filters) {
    const found = keptMatches(columns, filter);
    if (found === undefined) return undefined;
    matching.push(found);
  }
  return { matching, fields: read };
}

function forgetKept(columns: readonly PartColumns[]): void {
  forgetMatches(columns);
  forgetFields(columns);
}

/** Whether nothing has changed the files that were filtered. What is damaged is replaced. */
async function areSound(segments: readonly Part[], stored: readonly (PartColumns | undefined)[]): Promise<boolean> {
  const sound = await Promise.all(segments.map(({ columns }, position) => columns?.isSound(stored[position])));
  return !sound.includes(false);
}

/** Adds the documents that columns cannot decide and SQL finds. */
async function addUndecided(
  allowed: Bitset,
  possible: Bitset,
  { keys, alive }: Part,
  catalog: Catalog,
  filter: SnapshotFilter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const items: number[] = [];
  for (let word = 0; word < allowed.length; word++) {
    let rest = (possible[word] ?? 0) & ~(allowed[word] ?? 0) & (alive?.[word] ?? -1);
    for (; rest !== 0; rest &= rest - 1) items.push(32 * word + 31 - Math.clz32(rest & -rest));
  }
  const inside = items.filter((item) => item < keys.offsets.length);
  if (inside.length === 0) return;
  const sql = filter.sql();
  const slice = new TimeSlice();
  for (let first = 0; first < inside.length; first += documentsPerTurn) {
    if (slice.due()) await slice.yieldIfDue(signal);
    const some = inside.slice(first, first + documentsPerTurn);
    const matches = catalog.documents.whichMatch(
      some.map((item) => keyAt(keys, item)),
      sql,
    );
    for (const [position, item] of some.entries()) if (matches[position] === true) addItem(allowed, item);
  }
}

function clearBeyond(bits: Bitset, items: number): void {
  const used = items & 31;
  const last = bits.length - 1;
  if (used !== 0 && last >= 0) bits[last] = (bits[last] as number) & (2 ** used - 1);
}
