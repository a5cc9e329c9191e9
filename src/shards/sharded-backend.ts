import type { Backend, BackendFacts, ExportedBatch, QueryVectors, Settings } from '../backend/backend.js';
import type {
  DocumentChange,
  DocumentOutcome,
  DocumentRows,
  DocumentTerms,
  IncomingDocument,
  KnownDuplicates,
  Representative,
  StoredDocument,
  StoredVector,
  VectorRole,
} from '../backend/documents.js';
import type { FilterTree } from '../backend/filter-tree.js';
import type {
  KeyedNeighbor,
  KeyedVector,
  ReadSnapshot,
  SnapshotRequest,
  VectorSearch,
} from '../backend/read-snapshot.js';
import type { Space } from '../backend/space.js';
import { SemanticIndexError } from '../errors.js';
import type { FieldType } from '../options.js';
import { type Random, sampleNumbers } from '../random.js';
import type { DiskUsage, DocumentId, LongWorkOptions, Metric, ValidationReport } from '../types.js';
import { exportShards } from './export-shards.js';
import { askByNumber, mergedPage, Placement, packedByNumber, placesByShard, settled } from './placement.js';
import { checkAnalysis, joinShards } from './shard-record.js';
import { ShardSpaces } from './shard-spaces.js';
import { ShardedCommit } from './sharded-commit.js';
import { ShardedDuplicates } from './sharded-duplicates.js';
import { ShardedMigration } from './sharded-migration.js';
import { ShardedNotes } from './sharded-notes.js';
import { ShardedSnapshot } from './sharded-snapshot.js';

/** How often a snapshot is looked for while the shards move to another space, and milliseconds in between. */
const [maxAttempts, pause] = [20, 50];

/**
 * An index whose documents are spread over several backends by the hashes of their ids: a router. The first backend is the home shard, which
 * has settings and cached queries. Each shard commits by itself, so a batch is atomic in each shard only; what was acknowledged is durable
 * in every shard that it is in.
 */
export class ShardedBackend implements Backend {
  readonly metric: Metric;
  readonly commitsVectors = false;
  readonly settings: Settings;
  readonly queries: QueryVectors;
  readonly migration: ShardedMigration;
  readonly notes: ShardedNotes;
  readonly #placement: Placement;
  readonly #shards: readonly Backend[];
  readonly #spaces: ShardSpaces;
  readonly #commits: ShardedCommit;
  readonly #duplicates: ShardedDuplicates;

  private constructor(placement: Placement, shards: readonly Backend[]) {
    const home = shards[0] as Backend;
    this.#placement = placement;
    this.#shards = shards;
    this.metric = home.metric;
    this.settings = home.settings;
    this.queries = home.queries;
    this.#spaces = new ShardSpaces(shards);
    this.migration = new ShardedMigration(placement, home.metric, shards, this.#spaces);
    this.notes = new ShardedNotes(
      placement,
      shards.map(({ notes }) => notes),
    );
    this.#commits = new ShardedCommit(placement, shards, this.#spaces);
    this.#duplicates = new ShardedDuplicates(placement, shards, this.#spaces);
  }

  /** See `openShards`. */
  static async open(shards: readonly Backend[], readonly: boolean): Promise<ShardedBackend> {
    const [home, ...others] = shards as [Backend, ...Backend[]];
    if (others.some(({ metric }) => metric !== home.metric)) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'The shards have different metrics');
    }
    await joinShards(shards, readonly);
    await checkAnalysis(shards);
    const sharded = new ShardedBackend(new Placement(shards.length), shards);
    // Its creation may have been interrupted before all shards knew the space.
    if (!readonly && home.space !== undefined) await sharded.#spread(home.space);
    return sharded;
  }

  get #home(): Backend {
    return this.#shards[0] as Backend;
  }

  get space(): Space | undefined {
    const { space } = this.#home;
    return space && this.#spaces.note(space);
  }

  #ask<T>(ask: (shard: Backend, place: number) => Promise<T>): Promise<T[]> {
    return settled(this.#shards.map(ask));
  }

  /** Asks each shard for the documents with some ids, and returns what it says in the order of the ids. */
  async #byId<I, T>(
    items: readonly I[],
    idOf: (item: I) => DocumentId,
    ask: (shard: Backend, items: I[], place: number) => Promise<readonly T[]>,
  ): Promise<T[]> {
    const results = new Array<T>(items.length);
    const places = placesByShard(this.#placement.ofIds(items.map(idOf)), this.#shards.length);
    await this.#ask(async (shard, place) => {
      const own = places[place] as number[];
      if (own.length === 0) return;
      const found = await ask(
        shard,
        own.map((position) => items[position] as I),
        place,
      );
      for (const [position, result] of found.entries()) results[own[position] as number] = result;
    });
    return results;
  }

  /** The sum of what the shards return for their ids. */
  async #sumById<I>(
    items: readonly I[],
    idOf: (item: I) => DocumentId,
    work: (shard: Backend, items: I[]) => Promise<number>,
  ): Promise<number> {
    const numbers: number[] = [];
    await this.#byId(items, idOf, async (shard, own) => {
      numbers.push(await work(shard, own));
      return [];
    });
    return sumOf(numbers);
  }

  #withKey<T extends { readonly key: number }>(row: T, place: number): T {
    return { ...row, key: this.#placement.global(row.key, place) };
  }

  fields(): Promise<ReadonlyMap<string, FieldType | undefined>> {
    return this.#home.fields();
  }

  async declareFields(fields: Readonly<Record<string, FieldType>>): Promise<void> {
    await this.#ask((shard) => shard.declareFields(fields));
  }

  async chooseSpace(fingerprint: string, dimensions: number, canaries: string | null): Promise<Space> {
    const space = await this.#home.chooseSpace(fingerprint, dimensions, canaries);
    await this.#spread(space);
    return this.#spaces.note(space);
  }

  /** Fixes the space of the home shard in all of them. */
  async #spread({ fingerprint, dimensions, canaries }: Space): Promise<void> {
    await this.#ask(async (shard, place) => {
      if (place > 0) this.#spaces.note(await shard.chooseSpace(fingerprint, dimensions, canaries), place);
    });
  }

  classify(documents: readonly { id: DocumentId; hash: string }[]): Promise<DocumentChange[]> {
    return this.#byId(
      documents,
      ({ id }) => id,
      (shard, own) => shard.classify(own),
    );
  }

  async findVectors(space: number, role: VectorRole, hashes: readonly string[]): Promise<number[]> {
    const lists = await this.#ask(async (shard, place) => {
      const numbers = await shard.findVectors(await this.#spaces.on(place, space), role, hashes);
      return numbers.map((number) => (number === 0 ? 0 : this.#placement.global(number, place)));
    });
    return hashes.map((_, place) => lists.map((list) => list[place] as number).find((number) => number > 0) ?? 0);
  }

  putVectors(
    space: number,
    role: VectorRole,
    hashes: readonly string[],
    vectors: readonly Float32Array[],
    owners: readonly DocumentId[],
  ): Promise<number[]> {
    return this.#byId(
      [...hashes.keys()],
      (row) => owners[row] as DocumentId,
      async (shard, rows, place) => {
        const numbers = await shard.putVectors(
          await this.#spaces.on(place, space),
          role,
          rows.map((row) => hashes[row] as string),
          rows.map((row) => vectors[row] as Float32Array),
          rows.map((row) => owners[row] as DocumentId),
        );
        return numbers.map((number) => this.#placement.global(number, place));
      },
    );
  }

  readVectors(numbers: readonly number[]): Promise<(StoredVector | undefined)[]> {
    return askByNumber(this.#placement, numbers, async (place, locals) => {
      const vectors = await (this.#shards[place] as Backend).readVectors(locals);
      return Promise.all(
        vectors.map(async (one) => one && { ...one, space: await this.#spaces.from(place, one.space, 0) }),
      );
    });
  }

  findDuplicates(ids: readonly DocumentId[], vectors: readonly number[], dimensions: number): Promise<KnownDuplicates> {
    return this.#duplicates.find(ids, vectors, dimensions);
  }

  async representatives(keys: readonly number[]): Promise<Representative[]> {
    const locals = this.#placement.locals(keys);
    const lists = await this.#ask(async (shard, place) => {
      const own = locals[place] as number[];
      return own.length === 0 ? [] : (await shard.representatives(own)).map((row) => this.#withKey(row, place));
    });
    const found = new Map(lists.flat().map((row) => [row.key, row]));
    return keys.flatMap((key) => found.get(key) ?? []);
  }

  commit(documents: readonly IncomingDocument[], terms?: DocumentTerms): Promise<(DocumentOutcome | undefined)[]> {
    return this.#commits.commit(documents, terms);
  }

  setMetadata(changes: readonly { id: DocumentId; metadata: string | null }[]): Promise<number> {
    return this.#sumById(
      changes,
      ({ id }) => id,
      (shard, own) => shard.setMetadata(own),
    );
  }

  deleteByIds(ids: readonly DocumentId[], signal?: AbortSignal): Promise<number> {
    return this.#sumById(
      ids,
      (id) => id,
      (shard, own) => shard.deleteByIds(own, signal),
    );
  }

  async deleteWhere(filter: FilterTree, signal?: AbortSignal): Promise<number> {
    return sumOf(await this.#ask((shard) => shard.deleteWhere(filter, signal)));
  }

  async replaceVectors(space: number, keys: readonly number[], vectors: readonly Float32Array[]): Promise<void> {
    const rows = new Map(keys.map((key, row) => [key, vectors[row] as Float32Array]));
    await askByNumber(this.#placement, [...rows.keys()], async (place, locals) => {
      const own = locals.map((local) => rows.get(this.#placement.global(local, place)) as Float32Array);
      await (this.#shards[place] as Backend).replaceVectors(await this.#spaces.on(place, space), locals, own);
      return [];
    });
  }

  /** The shards one after the other would be one point in time only without writers: it is one for each shard. */
  async snapshot(request: SnapshotRequest = {}): Promise<ReadSnapshot | undefined> {
    for (let attempt = 1; ; attempt++) {
      const isOptimistic = request.isOptimistic === true && attempt === 1;
      const snapshots = await this.#openSnapshots({ ...request, isOptimistic });
      const open = snapshots.filter((snapshot) => snapshot !== undefined);
      // A shard that has no space yet has no documents, and none of the others has any: see `chooseSpace`.
      const isComplete = open.length === this.#shards.length;
      const fingerprints = new Set(open.map(({ space }) => space.fingerprint));
      if (isComplete && fingerprints.size === 1) return new ShardedSnapshot(this.#placement, this.metric, open);
      for (const snapshot of open) snapshot.close();
      if (!isComplete) return undefined;
      if (attempt === maxAttempts) {
        throw new SemanticIndexError('BUSY', 'Some shards have moved to another model, others not yet', {
          hint: 'A migration moves them one after the other: search again. If it was interrupted, run `migrate` again.',
        });
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
      request.signal?.throwIfAborted();
    }
  }

  /** That of the home shard first: searches that hold a connection of one pool and wait for another one do not wait in a circle. */
  async #openSnapshots(request: SnapshotRequest): Promise<(ReadSnapshot | undefined)[]> {
    const home = await this.#home.snapshot(request);
    const others = await Promise.allSettled(this.#shards.slice(1).map((shard) => shard.snapshot(request)));
    const failed = others.find((result) => result.status === 'rejected');
    const opened = [home, ...others.map((result) => (result.status === 'fulfilled' ? result.value : undefined))];
    if (failed === undefined) return opened;
    for (const snapshot of opened) snapshot?.close();
    throw failed.reason;
  }

  async search(search: VectorSearch): Promise<KeyedNeighbor[][]> {
    const snapshot = await this.snapshot({ signal: search.signal });
    if (snapshot === undefined) return Array.from({ length: search.count }, () => []);
    return snapshot.search(search).finally(() => snapshot.close());
  }

  byIds(ids: readonly DocumentId[]): Promise<(StoredDocument | undefined)[]> {
    return this.#byId(
      ids,
      (id) => id,
      async (shard, own, place) => (await shard.byIds(own)).map((row) => row && this.#withKey(row, place)),
    );
  }

  byKeys(keys: readonly number[]): Promise<(StoredDocument | undefined)[]> {
    return askByNumber(this.#placement, keys, async (place, locals) => {
      const rows = await (this.#shards[place] as Backend).byKeys(locals);
      return rows.map((row) => row && this.#withKey(row, place));
    });
  }

  async vectorOf(id: DocumentId): Promise<KeyedVector | undefined> {
    const place = this.#placement.ofId(id);
    const found = await (this.#shards[place] as Backend).vectorOf(id);
    return found && this.#withKey(found, place);
  }

  vectorsByKeys(keys: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    return packedByNumber(this.#placement, keys, this.space?.dimensions ?? 0, (place, locals) =>
      (this.#shards[place] as Backend).vectorsByKeys(locals, signal),
    );
  }

  async list(
    filter: FilterTree | undefined,
    limit: number,
    afterKey: number,
    maxBytes: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<DocumentRows> {
    const pages = await this.#ask(async (shard, place) => {
      const after = this.#placement.after(afterKey, place);
      const { rows, hasMore } = await shard.list(filter, limit, after, maxBytes, signal);
      return { rows: rows.map((row) => this.#withKey(row, place)), hasMore };
    });
    const page = mergedPage(pages, limit);
    if (maxBytes === undefined) return page;
    let bytes = 0;
    // One document is always among them.
    const end = page.rows.findIndex(({ text, metadata }, place) => {
      bytes += Buffer.byteLength(text) + Buffer.byteLength(metadata ?? '');
      return bytes > maxBytes && place > 0;
    });
    return end < 0 ? page : { rows: page.rows.slice(0, end), hasMore: true };
  }

  async count(filter?: FilterTree, signal?: AbortSignal): Promise<number> {
    return sumOf(await this.#ask((shard) => shard.count(filter, signal)));
  }

  async lastKey(): Promise<number> {
    const keys = await this.#ask(async (shard, place) => {
      const last = await shard.lastKey();
      return last === 0 ? 0 : this.#placement.global(last, place);
    });
    return Math.max(...keys);
  }

  async sampleKeys(count: number, random: Random): Promise<number[]> {
    const sizes = await this.#ask((shard) => shard.count());
    const ends = sizes.map((_, place) => sumOf(sizes.slice(0, place + 1)));
    const chosen = sampleNumbers(count, sumOf(sizes), random).map((number) => ends.findIndex((end) => number < end));
    const samples: number[][] = [];
    // One after the other: they draw from the same random numbers.
    for (const [place, shard] of this.#shards.entries()) {
      const keys = await shard.sampleKeys(chosen.filter((own) => own === place).length, random);
      samples.push(keys.map((key) => this.#placement.global(key, place)));
    }
    return chosen.flatMap((place) => samples[place]?.pop() ?? []);
  }

  async textsAfter(afterKey: number, limit: number): Promise<{ key: number; text: string }[]> {
    const pages = await this.#ask(async (shard, place) => {
      const rows = await shard.textsAfter(this.#placement.after(afterKey, place), limit);
      return { rows: rows.map((row) => this.#withKey(row, place)), hasMore: rows.length === limit };
    });
    return [...mergedPage(pages, limit).rows];
  }

  exportBatches(size: number): AsyncGenerator<ExportedBatch> {
    return exportShards(this.#placement, this.#shards, size);
  }

  async exportForest(): Promise<number> {
    throw new SemanticIndexError('UNSUPPORTED', 'An export as an Annoy file is not possible for an index of shards', {
      hint: "Copy the documents with exportTo({ format: 'jsonl' }) and importFrom into an index in a directory, and export that.",
    });
  }

  async facts(): Promise<BackendFacts> {
    const all = await this.#ask((shard) => shard.facts());
    return {
      segments: all.flatMap(({ segments }) => segments),
      tail: sumOf(all.map(({ tail }) => tail)),
      maxNodes: Math.max(...all.map(({ maxNodes }) => maxNodes)),
    };
  }

  async bytes(): Promise<DiskUsage> {
    const [first, ...others] = (await this.#ask((shard) => shard.bytes())) as [DiskUsage, ...DiskUsage[]];
    const names = Object.keys(first) as (keyof DiskUsage)[];
    return Object.fromEntries(
      names.map((name) => [name, others.reduce((sum, own) => sum + own[name], first[name])]),
    ) as unknown as DiskUsage;
  }

  async rebuildSegments(options: LongWorkOptions): Promise<void> {
    await this.#ask((shard) => shard.rebuildSegments(options));
  }

  async optimize(options: LongWorkOptions & { readonly full: boolean }): Promise<{ vectors: number }> {
    const all = await this.#ask((shard) => shard.optimize(options));
    return { vectors: sumOf(all.map(({ vectors }) => vectors)) };
  }

  async validate(level: 'quick' | 'full', signal?: AbortSignal): Promise<ValidationReport> {
    const reports = await this.#ask((shard) => shard.validate(level, signal));
    const checks = reports.flatMap((report, place) =>
      report.checks.map((one) => ({ ...one, check: `shard ${place}: ${one.check}` })),
    );
    return { valid: reports.every(({ valid }) => valid), checks };
  }

  async backup(): Promise<void> {
    throw new SemanticIndexError('UNSUPPORTED', 'backup is not possible for an index of shards', {
      hint: 'Back up the shards by their own means, while nothing is written, or use `exportTo` for a copy of the documents.',
    });
  }

  async close(): Promise<void> {
    await this.#ask((shard) => shard.close());
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
