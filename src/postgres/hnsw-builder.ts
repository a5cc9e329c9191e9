import type { Space } from '../backend/space.js';
import type { Database, Statements } from './connection/database.js';
import { quoteName } from './connection/names.js';
import { lockWriter, type SchemaNames } from './connection/schema.js';
import type { BackendOptions } from './postgres-options.js';
import { hnswExpression, hnswOperatorClass, maxHnswDimensions, type VectorMetric } from './search/vector-search.js';
import {
  type CountedIndex,
  coverOf,
  dueRange,
  endOf,
  type HnswIndex,
  type HnswTail,
  hnswIndexOf,
  hnswIndexOfName,
  hnswPrefix,
  optimizedRange,
  rangeSql,
  type VectorRange,
} from './tables/hnsw-index.js';
import { stateOf, stateSql } from './tables/index-state.js';
import { Lease } from './tables/lease.js';
import { type SettingsTable, settingNames } from './tables/settings-table.js';

/** Neighbors of a vector in an HNSW index, and candidates for them: with 64, walks find less for as many pages. */
const graph = { neighbors: 16, effort: 128 } as const;
/** Documents of commits after which it is looked whether an index is due. */
const documentsPerCheck = 2_000;
/**
 * A commit of so many documents is one of a load: builds wait until none has come for some times the milliseconds between the last two, or
 * until so many times `buildAt` documents have.
 */
const load = { documents: 256, intervals: 4, minPause: 1_000, maxPause: 5_000, most: 5 };
/** Milliseconds between two looks whether another process has finished its build. */
const leasePause = 250;

/** The range of the index to be built, if any, from the documents of each index and those in none. */
type BuildPlan = (cover: readonly CountedIndex[], tail: HnswTail) => VectorRange | undefined;

interface PlannedIndex {
  readonly space: Space;
  readonly range: VectorRange;
}

/**
 * Builds the HNSW indexes, each as a whole and in the background of the server, while searches and writes go on. One process at a time
 * does so. An index is used once it is complete, and those whose range it has are dropped then.
 */
export class HnswBuilder {
  readonly #database: Database;
  readonly #names: SchemaNames;
  readonly #settings: SettingsTable;
  readonly #metric: VectorMetric;
  readonly #options: BackendOptions;
  readonly #lease: Lease;
  readonly #state: string;
  #running: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  /** Documents committed since the last check for a due index. */
  #uncounted = 0;
  /** Time of the last commit of a bulk load. */
  #lastOfLoad = Number.NEGATIVE_INFINITY;

  constructor(
    database: Database,
    names: SchemaNames,
    settings: SettingsTable,
    metric: VectorMetric,
    options: BackendOptions,
  ) {
    this.#database = database;
    this.#names = names;
    this.#settings = settings;
    this.#metric = metric;
    this.#options = options;
    this.#lease = new Lease(database, names, 'build_lease');
    this.#state = stateSql(names);
  }

  /** Builds in the background once enough documents are in no index. */
  scheduleAfter(documents: number): void {
    const { background, readonly, buildAt } = this.#options;
    if (!background || readonly) return;
    this.#uncounted += documents;
    if (this.#uncounted < Math.min(buildAt, documentsPerCheck)) return;
    const isLoad = documents >= load.documents && this.#uncounted < load.most * buildAt;
    const pause = isLoad ? this.#pauseOfLoad() : 0;
    if (isLoad) clearTimeout(this.#timer);
    else if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#runInBackground(), pause);
    this.#timer.unref();
  }

  /** Checks soon whether an index is due: the process that added the documents may have ended before the check. */
  scheduleFirst(): void {
    this.scheduleAfter(documentsPerCheck);
  }

  #pauseOfLoad(): number {
    const now = performance.now();
    const wanted = load.intervals * (now - this.#lastOfLoad);
    this.#lastOfLoad = now;
    return wanted > load.maxPause * load.intervals
      ? load.minPause
      : Math.min(load.maxPause, Math.max(load.minPause, wanted));
  }

  #runInBackground(): void {
    this.#timer = undefined;
    this.#uncounted = 0;
    // After a build that runs. Searches compare vectors one by one until there is an index; the next commit tries again.
    this.#running = this.#running.then(() => this.#runIfDue()).catch(() => {});
  }

  async #runIfDue(): Promise<void> {
    const plan: BuildPlan = (cover, tail) => dueRange(cover, tail, this.#options);
    if ((await this.#planned(plan)) !== undefined) await this.#lease.hold(() => this.#run(plan));
  }

  /** Waits for a build of this process, and begins no other one. */
  async settle(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  /** Builds what `optimize` promises, and waits for the builds of other processes. @param full one index of all documents. */
  async optimize(full: boolean, signal: AbortSignal | undefined): Promise<void> {
    const { buildAt, hnsw: precision } = this.#options;
    await this.#exclusively(async () => {
      await this.#run((cover, tail) => optimizedRange(cover, tail, { buildAt, full, precision }));
    }, signal);
  }

  /** Builds one index of all documents, also where there is one. */
  async rebuild(signal: AbortSignal | undefined): Promise<void> {
    await this.#exclusively(async () => {
      await this.#run((_, { last }) => (last === 0 ? undefined : { after: 0, upTo: last }));
    }, signal);
  }

  async #exclusively(work: () => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    await this.settle();
    for (;;) {
      signal?.throwIfAborted();
      if ((await this.#lease.hold(work)) !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, leasePause));
    }
  }

  async #run(plan: BuildPlan): Promise<void> {
    const planned = await this.#planned(plan);
    if (planned === undefined) {
      await this.#dropUnused();
      return;
    }
    const built = await this.#build(planned);
    // A new version makes readers load the list of indexes again.
    await this.#database.write((statements) => lockWriter(statements, this.#names));
    await this.#dropUnused(built);
  }

  /** The index that a plan asks for; undefined when nothing needs building. */
  #planned(plan: BuildPlan): Promise<PlannedIndex | undefined> {
    return this.#database.read(this.#state, async (transaction) => {
      const { space, hnsw } = stateOf(transaction.first);
      if (space === undefined || space.dimensions > maxHnswDimensions[this.#options.hnsw]) return undefined;
      const { cover, tail } = await countIndexes(transaction, this.#names, hnsw);
      const range = plan(cover, tail);
      return range && { space, range };
    });
  }

  /** Returns the name of the index. */
  async #build({ space, range }: PlannedIndex): Promise<string> {
    const precision = this.#options.hnsw;
    const { name } = hnswIndexOf(space.space, precision, range);
    const [found] = await this.#database.alone(
      'SELECT (SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)) AS valid',
      [this.#qualified(name)],
    );
    if (found?.valid === true) {
      await this.#database.alone(`REINDEX INDEX CONCURRENTLY ${this.#qualified(name)}`);
      return name;
    }
    // An invalid index was left by a build that died.
    if (found?.valid === false) await this.#drop(name);
    await this.#database.alone(
      `CREATE INDEX CONCURRENTLY IF NOT EXISTS ${quoteName(name)} ON ${this.#names.table('vectors')}
       USING hnsw (${hnswExpression(this.#names, space, precision)} ${hnswOperatorClass(this.#names, this.#metric, precision)})
       WITH (m = ${graph.neighbors}, ef_construction = ${graph.effort})
       WHERE space = ${space.space} AND role <> 1 AND ${rangeSql('vector', range)}`,
    );
    return name;
  }

  /**
   * Drops indexes that were left by builds that died, those whose range another one has, and those of spaces that are not used.
   * @param built name of one that stays.
   */
  async #dropUnused(built?: string): Promise<void> {
    const rows = await this.#database.alone(
      `SELECT c.relname::text AS name, i.indisvalid AS valid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
       WHERE i.indrelid = to_regclass($1) AND starts_with(c.relname::text, '${hnswPrefix}')`,
      [this.#names.table('vectors')],
    );
    const valid = rows.flatMap(({ name, valid }) => (valid === true ? (hnswIndexOfName(name, 'vector') ?? []) : []));
    const spaces = [settingNames.space, settingNames.migratingTo].map((name) => this.#settings.get(name));
    const used = (await Promise.all(spaces)).flatMap((space) => coverOf(valid, Number(space ?? 0), built));
    const kept = new Set(used.map(({ name }) => name));
    for (const { name } of rows) if (!kept.has(name as string)) await this.#drop(name as string);
  }

  async #drop(name: string): Promise<void> {
    await this.#database.alone(`DROP INDEX CONCURRENTLY IF EXISTS ${this.#qualified(name)}`);
  }

  #qualified(name: string): string {
    return `${this.#names.quoted}.${quoteName(name)}`;
  }
}

/** Counts the documents of each index of a cover, and those in none. */
export async function countIndexes(
  statements: Statements,
  names: SchemaNames,
  cover: readonly HnswIndex[],
): Promise<{ readonly cover: CountedIndex[]; readonly tail: HnswTail }> {
  const documents = names.table('documents');
  const end = endOf(cover);
  const rest = Number.isFinite(end) ? `vector > ${end}` : 'false';
  const counts = [...cover.map((index) => rangeSql('vector', index)), rest].map(
    (condition) => `(SELECT count(*) FROM ${documents} WHERE ${condition})::float8`,
  );
  const [row] = await statements.query(
    `SELECT json_build_array(${counts.join(', ')})::text AS counts, (SELECT coalesce(max(vector), 0) FROM ${documents})::float8 AS last`,
  );
  const numbers = JSON.parse(row?.counts) as number[];
  return {
    cover: cover.map((index, place) => ({ ...index, documents: numbers[place] as number })),
    tail: { documents: numbers.at(-1) as number, last: row?.last as number },
  };
}
