import type { StoredDocument } from '../../backend/documents.js';
import type { KeyedVector } from '../../backend/read-snapshot.js';
import { SemanticIndexError } from '../../errors.js';
import { TimeSlice } from '../../time-slice.js';
import type { DocumentId } from '../../types.js';
import type { Catalog, CatalogPosition, CatalogReading } from '../catalog/catalog.js';
import type { CatalogClient, RemoteCatalog } from '../writer/catalog-client.js';
import type { SnapshotGate } from '../writer/snapshot-gate.js';

/** Look-ups in the catalog at one point in time. */
export interface LookUps {
  byKeys(keys: readonly number[], signal?: AbortSignal): Promise<(StoredDocument | undefined)[]>;
  bytesByKeys(keys: readonly number[]): Promise<number>;
  vectorsByKeys(keys: readonly number[], dimensions: number, signal?: AbortSignal): Promise<Float32Array>;
  vectorOf(id: DocumentId): Promise<KeyedVector | undefined>;
  setting(name: string): Promise<string | number | undefined>;
  end(): void;
}

/** A read in this thread. */
export interface LocalRead extends LookUps {
  readonly catalog: Catalog;
  readonly position: CatalogPosition;
  /** Number of the current space; undefined before the first vector. */
  readonly space: string | number | undefined;
}

/** Begins reads in this thread. */
export interface LocalReads {
  /** A read of the newest commit. */
  begin(): LocalRead | Promise<LocalRead>;
  /** The same if it needs no waiting. */
  beginNow(): LocalRead | undefined;
  close(): void;
}

/** Rows of one look-up before other work of the event loop has its turn. */
const rowsPerTurn = 128;
/** Connections that are kept open for the next reads. */
const maxIdle = 2;

/** What a read sees, and where it looks documents up. */
interface Reading extends Pick<CatalogReading, 'position' | 'space'> {
  readonly documents: {
    byKeys(keys: readonly number[]): (StoredDocument | undefined)[];
    /** Those that are in memory or short. */
    short?(keys: readonly number[]): (StoredDocument | undefined)[];
  };
  /** Settings that were read; undefined where a commit may come between. */
  readonly settings?: Map<string, string | number | undefined>;
}

/** Bytes of text and metadata. */
function bytesOf(document: StoredDocument | undefined): number {
  return document === undefined ? 0 : Buffer.byteLength(document.text) + Buffer.byteLength(document.metadata ?? '');
}

/** Look-ups on a connection of this thread. */
class CatalogRead implements LocalRead {
  readonly catalog: Catalog;
  readonly #reading: Reading;
  readonly #onEnd: () => void;

  constructor(catalog: Catalog, reading: Reading, onEnd: () => void) {
    this.catalog = catalog;
    this.#reading = reading;
    this.#onEnd = onEnd;
  }

  get position(): CatalogPosition {
    return this.#reading.position;
  }

  get space(): string | number | undefined {
    return this.#reading.space;
  }

  async byKeys(keys: readonly number[], signal?: AbortSignal): Promise<(StoredDocument | undefined)[]> {
    const { documents } = this.#current();
    if (keys.length <= rowsPerTurn) return documents.byKeys(keys);
    const found: (StoredDocument | undefined)[] = [];
    for await (const some of inTurns(keys, signal)) found.push(...this.#current().documents.byKeys(some));
    return found;
  }

  async bytesByKeys(keys: readonly number[]): Promise<number> {
    const short = this.#current().documents.short?.(keys) ?? [];
    const others = keys.filter((_, position) => short[position] === undefined);
    return short.reduce((sum, document) => sum + bytesOf(document), this.catalog.pages.bytesByKeys(others));
  }

  async vectorsByKeys(keys: readonly number[], dimensions: number, signal?: AbortSignal): Promise<Float32Array> {
    const vectors = new Float32Array(keys.length * dimensions);
    let row = 0;
    for await (const some of inTurns(keys, signal)) {
      this.#current();
      vectors.set(this.catalog.documents.vectorsByKeys(some, dimensions), row * dimensions);
      row += some.length;
    }
    return vectors;
  }

  async vectorOf(id: DocumentId): Promise<KeyedVector | undefined> {
    this.#current();
    return this.catalog.documents.vectorOf(id);
  }

  async setting(name: string): Promise<string | number | undefined> {
    const { settings } = this.#current();
    if (settings?.has(name) === true) return settings.get(name);
    const value = this.catalog.settings.get(name);
    settings?.set(name, value);
    return value;
  }

  end(): void {
    this.#onEnd();
  }

  /** @throws IO when its transaction has ended: what would be read now may be of another commit. */
  #current(): Reading {
    if (!this.catalog.hasLostReading) return this.#reading;
    throw new SemanticIndexError('IO', 'A read of index.db failed, and ended the transaction of others', {
      hint: 'Try again. If it fails again, look at the disk.',
    });
  }
}

async function* inTurns(keys: readonly number[], signal: AbortSignal | undefined): AsyncGenerator<readonly number[]> {
  const slice = new TimeSlice();
  for (let first = 0; first < keys.length; first += rowsPerTurn) {
    if (slice.due()) await slice.yieldIfDue(signal);
    yield keys.slice(first, first + rowsPerTurn);
  }
}

/** A read transaction and the number of its users. */
interface Transaction {
  readonly catalog: Catalog;
  readonly reading: CatalogReading;
  /** Data version that was seen last before it began. */
  readonly version: number;
  users: number;
}

/**
 * Reads on connections of this thread. Each is a read transaction; reads share one as long as nothing is committed, so there are
 * as many connections as commits that running searches began at.
 */
export class TransactionReads implements LocalReads {
  readonly #watch: () => Catalog;
  readonly #open: () => Catalog;
  readonly #idle: Catalog[] = [];
  #newest: Transaction | undefined;
  #version = 0;

  /** @param watch the connection that sees whether anything was committed. @param open opens a connection for reading. */
  constructor(watch: () => Catalog, open: () => Catalog) {
    this.#watch = watch;
    this.#open = open;
  }

  begin(): LocalRead {
    const transaction = this.#transaction();
    transaction.users++;
    const { catalog, reading } = transaction;
    let ended = false;
    return new CatalogRead(catalog, reading, () => {
      if (ended) return;
      ended = true;
      if (--transaction.users === 0) this.#end(transaction);
    });
  }

  beginNow(): LocalRead {
    return this.begin();
  }

  #transaction(): Transaction {
    const watch = this.#watch();
    // A transaction is shared if nothing was committed since the last look before it began. A read that is alone needs no look.
    if (this.#newest !== undefined) {
      const version = watch.dataVersion();
      if (this.#newest.version === version && !this.#newest.catalog.hasLostReading) return this.#newest;
      this.#version = version;
    }
    const catalog = this.#idle.pop() ?? this.#open();
    try {
      catalog.beginReading();
      this.#newest = { catalog, reading: catalog.reading(), version: this.#version, users: 0 };
    } catch (error) {
      catalog.close();
      throw error;
    }
    return this.#newest;
  }

  #end(transaction: Transaction): void {
    if (transaction === this.#newest) this.#newest = undefined;
    const { catalog } = transaction;
    catalog.endReading();
    if (this.#idle.length < maxIdle) this.#idle.push(catalog);
    else catalog.close();
  }

  close(): void {
    this.#newest?.catalog.close();
    for (const catalog of this.#idle) catalog.close();
    this.#newest = undefined;
    this.#idle.length = 0;
  }
}

/** Reads of a database in memory: its one connection, while the gate keeps writes out. */
export class GatedReads implements LocalReads {
  readonly #catalog: () => Catalog;
  readonly #gate: SnapshotGate;

  constructor(catalog: () => Catalog, gate: SnapshotGate) {
    this.#catalog = catalog;
    this.#gate = gate;
  }

  async begin(): Promise<LocalRead> {
    await this.#gate.enter();
    let ended = false;
    const leave = (): void => {
      if (!ended) this.#gate.leave();
      ended = true;
    };
    try {
      const catalog = this.#catalog();
      const { documents } = catalog;
      return new CatalogRead(
        catalog,
        { position: catalog.position(), space: catalog.settings.get('space'), documents },
        leave,
      );
    } catch (error) {
      leave();
      throw error;
    }
  }

  beginNow(): undefined {
    return undefined;
  }

  close(): void {}
}

let lastRead = 0;

/** A read in the catalog thread; see `HeldReads`. */
export class ThreadRead implements LookUps {
  readonly number = ++lastRead;
  readonly #thread: CatalogClient;
  #ended = false;

  constructor(thread: CatalogClient) {
    this.#thread = thread;
  }

  #until(signal: AbortSignal | undefined): RemoteCatalog['reads'] {
    return this.#thread.until(signal).reads;
  }

  byKeys(keys: readonly number[], signal?: AbortSignal): Promise<(StoredDocument | undefined)[]> {
    return this.#until(signal).byKeys(this.number, keys);
  }

  bytesByKeys(keys: readonly number[]): Promise<number> {
    return this.#thread.reads.bytesByKeys(this.number, keys);
  }

  vectorsByKeys(keys: readonly number[], dimensions: number, signal?: AbortSignal): Promise<Float32Array> {
    return this.#until(signal).vectorsByKeys(this.number, keys, dimensions);
  }

  vectorOf(id: DocumentId): Promise<KeyedVector | undefined> {
    return this.#thread.reads.vectorOf(this.number, id);
  }

  setting(name: string): Promise<string | number | undefined> {
    return this.#thread.reads.setting(this.number, name);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    // The thread may be gone, and its reads with it.
    this.#thread.reads.end(this.number).catch(() => {});
  }
}
