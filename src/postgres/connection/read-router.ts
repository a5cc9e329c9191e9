import { SemanticIndexError } from '../../errors.js';
import type { ResolvedPostgresOptions } from '../../options.js';
import type { IndexEvent, ReadConsistency } from '../../types.js';
import { Database, type DatabaseOptions, type ReadTransaction, type Row } from './database.js';
import { publicAddress } from './names.js';
import { openPool } from './pool.js';
import type { SchemaNames } from './schema.js';

/** Milliseconds that a reading waits for a connection to a replica: the primary is there in its place. */
const connectionTimeout = 2_000;
/** Milliseconds for which a replica that cannot be used is left alone: at first, and at most. */
const [firstPause, maxPause] = [1_000, 30_000];
/** Milliseconds that a reading waits for replicas between two attempts to reach the primary. */
const primaryPause = 1_000;
/** Milliseconds between two looks at a replica that is behind, at most. */
const maxLookPause = 20;

/** A replica of the server, by its address without password. */
export interface Replica {
  readonly address: string;
  readonly database: Database;
}

/** Opens the replicas of a location; a connection is made when the first reading needs it. */
function openReplicas(location: ResolvedPostgresOptions, limits: DatabaseOptions): Promise<Replica[]> {
  const { maxConnections, replicas = [] } = location;
  return Promise.all(
    replicas.map(async ({ connectionString, pool }) => {
      const opened = await openPool({ connectionString, pool, maxConnections }, connectionTimeout);
      return { address: publicAddress(connectionString), database: new Database(opened, limits) };
    }),
  );
}

/** What a reading asks of the server that it is sent to. */
export interface ReadRequest {
  /** Default: `strong`. */
  readonly consistency?: ReadConsistency | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How a router treats replicas. */
export interface RoutingOptions {
  /** Milliseconds that a reading waits for a replica that is behind, before it asks the primary. */
  readonly timeout: number;
  /** Milliseconds that it waits where the primary is lost as well. */
  readonly patience: number;
  readonly onEvent: (event: IndexEvent) => void;
}

/**
 * Sends readings to replicas, one after the other, and to the primary where no replica is recent enough or can be reached. Each
 * transaction begins with the version of the index, which a replica has from the primary: so it shows how recent the replica is.
 */
export class ReadRouter {
  readonly #primary: Database;
  readonly #replicas: readonly RoutedReplica[];
  readonly #timeout: number;
  readonly #patience: number;
  readonly #identity: IndexIdentity;
  #next = 0;
  /** The last version that was read. */
  #readVersion = 0;

  constructor(primary: Database, replicas: readonly Replica[], names: SchemaNames, options: RoutingOptions) {
    this.#primary = primary;
    this.#timeout = options.timeout;
    this.#patience = options.patience;
    this.#identity = new IndexIdentity(primary, names);
    this.#replicas = replicas.map((replica) => new RoutedReplica(replica, this.#identity, options.onEvent));
  }

  /** The version that a session sees at least: what it has read, and what it has written. */
  get sessionVersion(): number {
    return Math.max(this.#readVersion, this.#primary.committedVersion);
  }

  /** Notes the version that a reading has seen. */
  note(version: number): void {
    this.#readVersion = Math.max(this.#readVersion, version);
  }

  /**
   * Begins a transaction where the request allows. Where no replica is recent enough and the primary is lost, it waits for those that are
   * behind.
   *
   * @param first reads the version of the index: see `Database.beginRead`.
   * @throws UNAVAILABLE
   */
  async beginRead(first: string, { consistency = 'strong', signal }: ReadRequest): Promise<ReadTransaction> {
    if (consistency === 'strong') return this.#primary.beginRead(first, signal);
    const least = consistency === 'session' ? this.sessionVersion : 0;
    const deadline = performance.now() + this.#patience;
    let [replicas, timeout] = [this.#inTurn(), this.#timeout];
    for (;;) {
      for (const replica of replicas) {
        const transaction = await replica.begin(first, least, timeout, signal);
        if (transaction !== undefined) return transaction;
      }
      try {
        return await this.#primary.beginRead(first, signal);
      } catch (error) {
        if (!SemanticIndexError.is(error, 'UNAVAILABLE')) throw error;
        replicas = this.#replicas.filter(({ isBehind }) => isBehind);
        if (replicas.length === 0) throw error;
        timeout = Math.min(primaryPause, deadline - performance.now());
        if (timeout < 0) throw behind(error);
      }
    }
  }

  /** See `Database.readAt`; undefined where there are replicas, which may have another version. */
  readAt(version: number, versionSql: string, signal: AbortSignal | undefined): ReadTransaction | undefined {
    return this.#replicas.length > 0 ? undefined : this.#primary.readAt(version, versionSql, signal);
  }

  /** Runs a statement that reads what never changes, on any server: a replica may not have it yet. */
  async readAnywhere(text: string, values: readonly unknown[]): Promise<Row[]> {
    for (const replica of this.#inTurn()) {
      const rows = await replica.run(text, values);
      if (rows !== undefined) return rows;
    }
    return this.#primary.alone(text, values);
  }

  /** The replicas that may be used now, beginning with another one each time. */
  #inTurn(): RoutedReplica[] {
    const usable = this.#replicas.filter((replica) => replica.isUsable);
    const first = this.#next++ % Math.max(1, usable.length);
    return [...usable.slice(first), ...usable.slice(0, first)];
  }

  async close(): Promise<void> {
    await Promise.all(this.#replicas.map((replica) => replica.close()));
    await this.#primary.close();
  }
}

function behind(primary: SemanticIndexError): SemanticIndexError {
  const message = 'The primary is lost, and no replica has received what this index has written or read';
  return new SemanticIndexError('UNAVAILABLE', message, {
    hint: "Try again later, or search with `consistency: 'eventual'`.",
    cause: primary,
  });
}

/** The router of an index: to the replicas of its location, and to the primary. */
export async function openRouter(
  primary: Database,
  names: SchemaNames,
  location: ResolvedPostgresOptions,
  limits: DatabaseOptions,
  onEvent: (event: IndexEvent) => void = () => {},
): Promise<ReadRouter> {
  const { replicaTimeout: timeout } = location;
  const patience = limits.statementTimeout || limits.lockTimeout;
  return new ReadRouter(primary, await openReplicas(location, limits), names, { timeout, patience, onEvent });
}

/** When the first space of an index was made: the same in its replicas, and in no other index. */
class IndexIdentity {
  readonly #primary: Database;
  readonly #sql: string;
  #known: string | undefined;

  constructor(primary: Database, names: SchemaNames) {
    this.#primary = primary;
    this.#sql = `SELECT extract(epoch FROM min(created_at))::text AS identity FROM ${names.table('spaces')}`;
  }

  /** Whether a transaction reads this index; undefined as long as the index, or the replica, has no space. */
  async isIn(transaction: ReadTransaction): Promise<boolean | undefined> {
    const [row] = await transaction.query(this.#sql);
    if (typeof row?.identity !== 'string') return undefined;
    if (row.identity !== this.#known) {
      const [primary] = await this.#primary.alone(this.#sql);
      this.#known = (primary?.identity ?? undefined) as string | undefined;
    }
    return this.#known === undefined ? undefined : row.identity === this.#known;
  }
}

/** A replica as a router sees it: in use, behind, or lost. */
class RoutedReplica {
  readonly #address: string;
  readonly #database: Database;
  readonly #identity: IndexIdentity;
  readonly #onEvent: (event: IndexEvent) => void;
  #isChecked = false;
  #unusable: 'lost' | 'behind' | undefined;
  #pause = 0;
  #pausedUntil = 0;

  constructor({ address, database }: Replica, identity: IndexIdentity, onEvent: (event: IndexEvent) => void) {
    this.#address = address;
    this.#database = database;
    this.#identity = identity;
    this.#onEvent = onEvent;
  }

  get isUsable(): boolean {
    return performance.now() >= this.#pausedUntil;
  }

  /** Whether it could be reached, and does not have what was asked for. */
  get isBehind(): boolean {
    return this.#unusable === 'behind';
  }

  /** Begins a transaction that sees a version or a later one; undefined where the replica does not have it in time, or is lost. */
  async begin(
    first: string,
    least: number,
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<ReadTransaction | undefined> {
    const deadline = performance.now() + timeout;
    for (let pause = 1; ; pause = Math.min(maxLookPause, pause * 2)) {
      try {
        const transaction = await this.#beginNow(first, least, signal);
        if (transaction !== undefined) {
          this.#restored();
          return transaction;
        }
      } catch (error) {
        signal?.throwIfAborted();
        if (!SemanticIndexError.is(error) || error.code === 'CLOSED') throw error;
        // All of its connections are in use, or a change that it receives has ended the transaction: it is there.
        if (error.code === 'BUSY') return undefined;
        // The index may have been made just now.
        if (error.code !== 'NOT_AN_INDEX') {
          this.#leave('lost', error);
          return undefined;
        }
      }
      if (performance.now() + pause > deadline) {
        this.#leave('behind');
        return undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
      signal?.throwIfAborted();
    }
  }

  async #beginNow(first: string, least: number, signal: AbortSignal | undefined): Promise<ReadTransaction | undefined> {
    const transaction = await this.#database.beginRead(first, signal);
    try {
      if ((transaction.first.version as number) >= least && (await this.#isOfIndex(transaction))) return transaction;
    } catch (error) {
      transaction.close();
      throw error;
    }
    transaction.close();
    return undefined;
  }

  /** Runs a statement; undefined where the replica is lost, or was not used yet. */
  async run(text: string, values: readonly unknown[]): Promise<Row[] | undefined> {
    if (!this.#isChecked) return undefined;
    try {
      return await this.#database.aloneOnce(text, values);
    } catch (error) {
      if (!SemanticIndexError.is(error, 'UNAVAILABLE')) throw error;
      this.#leave('lost', error);
      return undefined;
    }
  }

  async #isOfIndex(transaction: ReadTransaction): Promise<boolean> {
    if (this.#isChecked) return true;
    const isSame = await this.#identity.isIn(transaction);
    if (isSame === undefined) return false;
    if (!isSame) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `${this.#address} has another index of this name`, {
        hint: 'Give the address of a replica of the database.',
      });
    }
    this.#isChecked = true;
    return true;
  }

  #leave(state: 'lost' | 'behind', error?: SemanticIndexError): void {
    this.#isChecked = false;
    this.#pause = state === 'behind' ? firstPause : Math.min(maxPause, Math.max(firstPause, 2 * this.#pause));
    this.#pausedUntil = performance.now() + this.#pause;
    if (this.#unusable === state) return;
    this.#unusable = state;
    const problem = error === undefined ? 'is behind' : `cannot be used: ${error.message}`;
    const message = `The replica ${this.#address} ${problem}. Searches read from other replicas or the primary.`;
    const event = { type: 'replica', state, replica: this.#address, message } as const;
    this.#onEvent(error === undefined ? event : { ...event, error });
  }

  #restored(): void {
    this.#pause = 0;
    if (this.#unusable === undefined) return;
    this.#unusable = undefined;
    const message = `Searches read from the replica ${this.#address} again.`;
    this.#onEvent({ type: 'replica', state: 'restored', replica: this.#address, message });
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
