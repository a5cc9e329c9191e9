import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goodHits, type ScoreFunction, scoreAll, searchFault } from '../../../src/crash-test/exact-search.js';
import { deterministicProvider } from '../../../src/embed/testing/deterministic-provider.js';
import { Random } from '../../../src/random.js';
import { SemanticIndex } from '../../../src/semantic-index.js';
import type { DocumentId, DocumentInput, IndexEvent, Metric } from '../../../src/types.js';
import { cosine } from '../../../src/vectors/metric.js';
import { type ModelFilter, ModelIndex } from './model-index.js';

const dimensions = 16;
const tags = ['red', 'green', 'blue', 'grey'];
// Words that no stemmer or tokenizer changes.
const words = Array.from({ length: 60 }, (_, n) => `b${'cdfghjkm'[n % 8]}${'nprtvwxz'[n >> 3]}`);

const scores: Partial<Record<Metric, ScoreFunction>> = {
  angular: cosine,
  dot: (a, b) => a.reduce((sum, value, column) => sum + value * (b[column] as number), 0),
  euclidean: (a, b) =>
    1 / (1 + Math.sqrt(a.reduce((sum, value, column) => sum + (value - (b[column] as number)) ** 2, 0))),
  manhattan: (a, b) => 1 / (1 + a.reduce((sum, value, column) => sum + Math.abs(value - (b[column] as number)), 0)),
};

/** One run of random operations. */
export interface ModelRunOptions {
  readonly seed: number;
  readonly operations: number;
  readonly metric: Metric;
  /** Documents that are there from the beginning, in one segment; some thousands make the forests be walked. */
  readonly start: number;
}

/** What a run came to. */
export interface ModelRunResult {
  readonly operations: Record<string, number>;
  readonly searches: number;
  /** Of the searches by forest: hits that are as good as the true ones, and how many there should be. */
  readonly good: number;
  readonly wanted: number;
  readonly events: Record<string, number>;
}

const weights = {
  add: 30,
  deleteIds: 8,
  deleteWhere: 2,
  search: 34,
  searchFiltered: 14,
  searchById: 5,
  searchWords: 5,
  read: 8,
  otherReader: 6,
  build: 1.2,
  compact: 1.5,
  rebuild: 0.6,
  rebuildTexts: 0.3,
  validate: 0.8,
  backup: 0.5,
  reopen: 1.5,
  reopenDamaged: 0.6,
  concurrent: 2,
};
type Operation = keyof typeof weights;

/** Does the same to an index and to a model of it, and throws where they differ; the message names seed and operation. */
export class ModelRun {
  readonly #options: ModelRunOptions;
  readonly #random: Random;
  readonly #provider = deterministicProvider({ dimensions });
  readonly #model = new ModelIndex();
  readonly #folder = mkdtempSync(join(tmpdir(), 'semantic-index-model-'));
  readonly #done: Record<string, number> = {};
  readonly #events: Record<string, number> = {};
  #index!: SemanticIndex;
  #reader: SemanticIndex | undefined;
  #searches = 0;
  #good = 0;
  #wanted = 0;
  #copies = 0;

  constructor(options: ModelRunOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  async run(): Promise<ModelRunResult> {
    try {
      await this.#open();
      if (this.#options.start > 0) {
        await this.#add(Array.from({ length: this.#options.start }, (_, n) => this.#document(n)));
        await this.#index.optimize({ full: true });
      }
      for (let position = 0; position < this.#options.operations; position++) {
        const operation = this.#random.weighted<Operation>(weights);
        this.#done[operation] = (this.#done[operation] ?? 0) + 1;
        try {
          await this.#perform(operation);
        } catch (error) {
          throw new Error(`seed ${this.#options.seed}, operation ${position} (${operation}): ${String(error)}`, {
            cause: error,
          });
        }
      }
      await this.#reader?.close();
      await this.#index.close();
      await this.#open();
      await this.#perform('validate');
      await this.#perform('read');
      await this.#index.close();
    } finally {
      await this.#reader?.close();
      await this.#index?.close();
      rmSync(this.#folder, { recursive: true, force: true });
    }
    const [operations, searches, events] = [this.#done, this.#searches, this.#events];
    return { operations, searches, good: this.#good, wanted: this.#wanted, events };
  }

  #perform(operation: Operation): Promise<void> {
    switch (operation) {
      case 'add':
        return this.#add(this.#batch());
      case 'deleteIds':
        return this.#deleteIds();
      case 'deleteWhere':
        return this.#deleteWhere();
      case 'search':
        return this.#search(this.#index, undefined);
      case 'searchFiltered':
        return this.#search(this.#index, this.#filter());
      case 'searchById':
        return this.#searchById();
      case 'searchWords':
        return this.#searchWords();
      case 'read':
        return this.#read(this.#index);
      case 'otherReader':
        return this.#otherReader();
      case 'build':
        return this.#index.optimize({ full: true }).then(() => {});
      case 'compact':
        return this.#compact();
      case 'rebuild':
        return this.#index.rebuild();
      case 'rebuildTexts':
        return this.#index.rebuild({ from: 'texts' });
      case 'validate':
        return this.#validate();
      case 'backup':
        return this.#backup();
      case 'reopen':
        return this.#reopen(false);
      case 'reopenDamaged':
        return this.#reopen(true);
      case 'concurrent':
        return this.#concurrent();
    }
  }

  async #open(): Promise<void> {
    const random = this.#random;
    this.#index = await SemanticIndex.open(join(this.#folder, 'index'), {
      provider: this.#provider,
      metric: this.#options.metric,
      onEvent: (event) => this.#onEvent(event),
      ann: {
        sealAt: random.pick([60, 150, 400]),
        trees: random.pick([8, 12]),
        threads: 1,
        background: random.chance(0.85),
        loadMode: random.pick(['lazy', 'eager']),
      },
    });
  }

  #onEvent({ type, message }: IndexEvent): void {
    this.#events[type] = (this.#events[type] ?? 0) + 1;
    if (type === 'error') throw new Error(message);
  }

  #document(id: number): DocumentInput & { id: DocumentId } {
    const random = this.#random;
    const named: DocumentId = id % 3 === 0 ? `name-${id}` : id;
    const metadata = {
      n: random.integer(1_000),
      tag: random.pick(tags),
      ...(random.chance(0.3) ? { nested: { flag: random.chance(0.5) } } : {}),
    };
    return { id: named, text: this.#text(), ...(random.chance(0.9) ? { metadata } : {}) };
  }

  #text(): string {
    // Few words and few of them in a text: equal texts and equal distances are common.
    return Array.from({ length: 1 + this.#random.integer(5) }, () => this.#random.pick(words)).join(' ');
  }

  #batch(): (DocumentInput & { id: DocumentId })[] {
    const random = this.#random;
    const ids = new Set(
      Array.from({ length: 1 + random.integer(random.chance(0.1) ? 300 : 25) }, () => random.integer(9_000)),
    );
    return [...ids].map((id) => {
      const document = this.#document(id);
      const known = this.#model.get(document.id);
      if (known !== undefined && random.chance(0.4)) {
        return { ...document, text: known.text, ...(random.chance(0.5) ? { metadata: known.metadata } : {}) };
      }
      return random.chance(0.1) ? { ...document, vector: this.#vector() } : document;
    });
  }

  #vector(): Float32Array {
    return Float32Array.from({ length: dimensions }, () => this.#random.number() * 2 - 1);
  }

  async #vectorOf({ text, vector }: DocumentInput): Promise<Float32Array> {
    if (vector !== undefined) return Float32Array.from(vector);
    const { vectors } = await this.#provider.embed([text as string], { role: 'document' });
    return vectors[0] as Float32Array;
  }

  async #add(documents: (DocumentInput & { id: DocumentId })[]): Promise<void> {
    const result = await this.#index.addDocuments(documents, { batchSize: this.#random.pick([7, 64, 512]) });
    const expected = { added: 0, updated: 0, unchanged: 0 };
    for (const document of documents)
      expected[this.#model.add(document as typeof document & { text: string }, await this.#vectorOf(document))]++;
    const { added, updated, unchanged } = result;
    equal('outcomes', { added, updated, unchanged }, expected);
    equal(
      'ids',
      result.ids,
      documents.map(({ id }) => id),
    );
  }

  async #deleteIds(): Promise<void> {
    const all = this.#model.all;
    const ids = Array.from(
      { length: 1 + this.#random.integer(12) },
      (): DocumentId =>
        all.length > 0 && this.#random.chance(0.9) ? this.#random.pick(all).id : `missing-${this.#random.integer(99)}`,
    );
    const deleted = await this.#index.deleteDocuments(ids);
    equal('deleted', deleted, ids.filter((id) => this.#model.delete(id)).length);
  }

  async #deleteWhere(): Promise<void> {
    const from = this.#random.integer(1_000);
    const where = { n: { $gte: from, $lt: from + 1 + this.#random.integer(60) } };
    const doomed = this.#model.matching(rangeFilter(where.n.$gte, where.n.$lt));
    equal('deleted by filter', await this.#index.deleteDocuments({ where }), doomed.length);
    for (const { id } of doomed) this.#model.delete(id);
  }

  #filter(): ModelFilter {
    const random = this.#random;
    const tag = random.pick(tags);
    const from = random.integer(1_000);
    return random.pick<ModelFilter>([
      { where: { tag }, matches: (metadata) => metadata.tag === tag },
      { where: { tag: { $ne: tag } }, matches: (metadata) => metadata.tag !== tag },
      { where: { tag: { $exists: false } }, matches: (metadata) => !('tag' in metadata) },
      {
        where: { 'nested.flag': true },
        matches: ({ nested }) => (nested as { flag?: boolean } | undefined)?.flag === true,
      },
      rangeFilter(from, from + 5),
      rangeFilter(from, from + 400),
      {
        where: { n: { $in: [from, from + 1, from + 2] } },
        matches: ({ n }) => [from, from + 1, from + 2].includes(n as number),
      },
    ]);
  }

  async #search(index: SemanticIndex, filter: ModelFilter | undefined): Promise<void> {
    const random = this.#random;
    const exact = random.chance(0.5);
    const k = random.pick([1, 3, 10, 10, 10, 40, 20_000]);
    const count = random.chance(0.2) ? 3 : 1;
    const queries = Array.from({ length: count }, () => (random.chance(0.7) ? this.#text() : this.#vector()));
    const documents = this.#model.matching(filter);
    const found = (await index.searchMany(queries, { k, exact, mode: 'vector', where: filter?.where })).map(
      ({ hits }) => hits,
    );
    for (const [position, query] of queries.entries()) {
      const vector = typeof query === 'string' ? await this.#vectorOf({ text: query }) : query;
      const scored = scoreAll(documents, vector, scores[this.#options.metric]);
      const hits = found[position] ?? [];
      const fault = searchFault(hits, scored, k, exact);
      if (fault !== undefined) throw new Error(`k ${k}, ${JSON.stringify(filter?.where)}, exact ${exact}: ${fault}`);
      for (const { id, text, metadata } of hits.slice(0, 50)) {
        const known = this.#model.get(id);
        equal('hit', { id, text, metadata }, { id, text: known?.text, metadata: known?.metadata });
      }
      this.#searches++;
      if (exact) continue;
      this.#good += goodHits(hits, scored, k);
      this.#wanted += Math.min(k, scored.length);
    }
  }

  async #searchById(): Promise<void> {
    const all = this.#model.all;
    if (all.length === 0) return;
    const { id, vector } = this.#random.pick(all);
    const others = all.filter((document) => document.id !== id);
    const { hits } = await this.#index.search({ id }, { k: 10, exact: true });
    const fault = searchFault(hits, scoreAll(others, vector, scores[this.#options.metric]), 10, true);
    if (fault !== undefined) throw new Error(`likes of ${id}: ${fault}`);
  }

  /** By words: exactly the documents that share one. By both: as many as there are. */
  async #searchWords(): Promise<void> {
    const [filter, text] = [this.#random.chance(0.3) ? this.#filter() : undefined, this.#text()];
    const documents = this.#model.matching(filter);
    const asked = new Set(text.split(' '));
    const sharing = documents.filter((document) => document.text.split(' ').some((word) => asked.has(word)));
    const where = filter?.where;
    const { hits: byWords } = await this.#index.search(text, { k: 20_000, mode: 'text', typos: false, where });
    equal('documents found by words', byWords.map(({ id }) => id).sort(), sharing.map(({ id }) => id).sort());
    const { hits: byBoth } = await this.#index.search(text, { k: 10, where });
    equal('hits by both', new Set(byBoth.map(({ id }) => id)).size, Math.min(10, documents.length));
    for (const { id } of byBoth) if (!documents.some((document) => document.id === id)) throw new Error(`hit ${id}`);
  }

  async #read(index: SemanticIndex): Promise<void> {
    const all = this.#model.inOrder;
    const limit = this.#random.pick([17, 100, 1_000]);
    const listed: unknown[] = [];
    let after: string | undefined;
    do {
      const page = await index.listDocuments({ limit, after });
      listed.push(...page.documents);
      after = page.next;
    } while (after !== undefined);
    equal(
      'documents',
      listed,
      all.map(({ id, text, metadata }) => ({ id, text, metadata })),
    );
    const filter = this.#filter();
    equal('count', await index.count(), all.length);
    equal('count of a filter', await index.count({ where: filter.where }), this.#model.matching(filter).length);
    equal('stats', (await index.stats()).documents, all.length);
  }

  /** Another connection, as another process has one, sees the last commit at its next search. */
  async #otherReader(): Promise<void> {
    if (this.#reader === undefined || this.#random.chance(0.05)) {
      await this.#reader?.close();
      this.#reader = await SemanticIndex.open(join(this.#folder, 'index'), {
        provider: this.#provider,
        readonly: true,
        onEvent: (event) => this.#onEvent(event),
      });
    }
    await this.#search(this.#reader, this.#random.chance(0.3) ? this.#filter() : undefined);
    if (this.#random.chance(0.1)) await this.#read(this.#reader);
  }

  async #compact(): Promise<void> {
    await this.#index.optimize();
    const dead = (await this.#index.stats()).segments.reduce((sum, segment) => sum + segment.dead, 0);
    equal('dead items after compact', dead, 0);
  }

  async #validate(): Promise<void> {
    const report = await this.#index.validate({ level: this.#random.pick(['quick', 'full']) });
    const failed = report.checks.filter(({ passed, severity }) => !passed && severity === 'error');
    equal('failed checks', failed, []);
  }

  async #backup(): Promise<void> {
    const target = join(this.#folder, `copy-${this.#copies++}`);
    await this.#index.backup(target);
    const copy = await SemanticIndex.open(target, { provider: this.#provider, ann: { background: false } });
    try {
      await this.#search(copy, undefined);
      await this.#read(copy);
    } finally {
      await copy.close();
      rmSync(target, { recursive: true });
    }
  }

  async #reopen(damaged: boolean): Promise<void> {
    await this.#index.close();
    await this.#reader?.close();
    this.#reader = undefined;
    if (damaged) {
      const segments = join(this.#folder, 'index', 'segments');
      for (const file of readdirSync(segments)) if (this.#random.chance(0.5)) rmSync(join(segments, file));
    }
    await this.#open();
    await this.#search(this.#index, undefined);
  }

  /** Searches that run while documents come and go: each sees the state before or the one after, so all are full. */
  async #concurrent(): Promise<void> {
    const before = this.#model.size;
    const searches = Array.from({ length: 4 }, () =>
      this.#index.search(this.#text(), { k: 10 }).then(({ hits }) => hits),
    );
    const adding = this.#add(this.#batch());
    const more = Array.from({ length: 4 }, () => this.#index.search(this.#text(), { k: 10 }).then(({ hits }) => hits));
    await adding;
    for (const hits of await Promise.all([...searches, ...more])) {
      if (hits.length < Math.min(10, before))
        throw new Error(`${hits.length} hits while adding, of ${before} documents`);
    }
  }
}

function rangeFilter(from: number, to: number): ModelFilter {
  return {
    where: { n: { $gte: from, $lt: to } },
    matches: ({ n }) => typeof n === 'number' && n >= from && n < to,
  };
}

function equal(what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a.slice(0, 400)} instead of ${b.slice(0, 400)}`);
}
