import type { TextLayout } from '../../analysis/fields/text-layout.js';
import { selectPackedTerms } from '../../analysis/packed-terms.js';
import { analysisFromSetting, namedLanguage } from '../../analysis/text-analysis.js';
import type { TextLanguages } from '../../analysis/text-preparer.js';
import { type DocumentTerms, type FreshVectors, freshVector } from '../../backend/documents.js';
import type { RefusedText } from '../../embed/refused-text.js';
import { isWorthThread, textWorkers } from '../../embed/text-workers/text-workers.js';
import { SemanticIndexError } from '../../errors.js';
import { describe, type ResolvedAddOptions } from '../../options.js';
import { TimeSlice } from '../../time-slice.js';
import type { AddedDuplicate, AddResult, DocumentId, DocumentInput, Documents, Metadata } from '../../types.js';
import { type CheckedDocument, checkInput, checkUnhashed, type UnhashedDocument } from '../checked-document.js';
import type { OperationContext } from '../context.js';
import type { MetadataRules } from '../metadata-rules.js';
import { prefetch } from '../prefetch.js';
import { storedAnalysis, storedLayout } from '../stored-analysis.js';
import { type DuplicateDecision, DuplicateFilter } from './duplicate-filter.js';
import { hashInSlices } from './hash-in-slices.js';
import { InvalidDocuments } from './invalid-documents.js';

type Tally = { -readonly [K in keyof AddResult]: AddResult[K] };

/** Errors of texts that the provider refused, by content hash. */
type Refused = Map<string, SemanticIndexError>;

/** A batch that is ready to be committed. */
interface Prepared {
  /** Positions of the documents whose content is not in the index, ascending. */
  readonly changed: readonly number[];
  /** Numbers of their vectors by content hash. */
  readonly numbers: Map<string, number>;
  /** Texts without a vector. */
  readonly refused: Refused;
  /** The terms of the changed documents; undefined where the catalog analyzes them. */
  terms: DocumentTerms | undefined;
  /** Vectors that are stored with the documents: those of a model that can make them again at no cost. */
  fresh: FreshVectors | undefined;
  /** Resolves once `fresh` is committed, or will not be. */
  readonly settled: Promise<void>;
  settle(): void;
}

/** A text without a vector, and the id of a document that has it. */
interface NewText {
  readonly text: string;
  readonly owner: DocumentId;
}

/** How a batch is analyzed: the setting of the index, and the languages of the texts by it. */
interface BatchAnalysis {
  readonly setting: string;
  readonly analyze: TextLanguages;
}

/** Attempts of a commit while other processes change the same documents. */
const maxAttempts = 5;
/**
 * Batches in progress: while one is committed, another one is embedded. A third one follows it where the commit takes longer: when the
 * log is moved into the database, or where vectors are stored apart from documents. With parallel calls there are more, so that a call
 * that is retried delays only what follows it.
 */
const batchesAhead = { oneCall: 3, parallelCalls: 4 };

/** Checks documents, skips unchanged ones, embeds and commits the rest, batch by batch. */
export function addDocuments<M extends Metadata>(
  context: OperationContext,
  documents: Documents<M>,
  options: ResolvedAddOptions,
  rules?: MetadataRules,
): Promise<AddResult> {
  return new DocumentAdder(context, rules).add(documents, options);
}

/** One call of `addDocuments`: the texts that are being embedded. */
class DocumentAdder {
  readonly #context: OperationContext;
  readonly #rules: MetadataRules | undefined;
  /** Texts that are being embedded by content hash, with the work that stores their vectors. */
  readonly #embedding = new Map<string, Promise<void>>();
  /** Batches whose fresh vectors are not committed yet. */
  readonly #unsettled = new Set<Prepared>();
  /** Whether vectors may be stored with their documents: duplicates are found among stored ones. */
  #mayDefer = false;
  #layout: TextLayout | undefined;
  #hasFailed = false;

  #embeddedCharacters = 0;

  constructor(context: OperationContext, rules: MetadataRules | undefined) {
    this.#context = context;
    this.#rules = rules?.any === true ? rules : undefined;
  }

  async add<M extends Metadata>(documents: Documents<M>, options: ResolvedAddOptions): Promise<AddResult> {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    this.#layout = await storedLayout(this.#context.backend);
    const began = performance.now();
    const total = Array.isArray(documents) ? documents.length : undefined;
    const tally: Tally = { ids: [], added: 0, updated: 0, unchanged: 0, embedded: 0, tokens: 0 };
    const filter = DuplicateFilter.for(this.#context, options);
    this.#mayDefer = filter === undefined && this.#context.backend.commitsVectors;
    const duplicates: AddedDuplicate[] = [];
    const invalid = new InvalidDocuments(options.onInvalid);
    const depth = this.#depth;
    const prepare = (batch: CheckedDocument[]) =>
      this.#prepared(batch, tally, signal).catch((error: unknown) => this.#fail(error));
    const batches = this.#checkedBatches(documents, options, invalid);
    const commit = async (item: readonly CheckedDocument[], prepared: Prepared): Promise<void> => {
      signal?.throwIfAborted();
      const { numbers, refused } = prepared;
      const accepted = refused.size === 0 ? item : item.filter(({ hash }) => !refused.has(hash));
      if (filter === undefined) {
        await this.#commit(accepted, prepared, tally, signal);
        for (const { id } of accepted) tally.ids.push(id);
      } else {
        await this.#commitDecided(await filter.decide(accepted, numbers), prepared, tally, duplicates, signal);
      }
    };
    for await (const { item, prepared } of prefetch(batches, depth, prepare)) {
      await commit(item, prepared).catch((error: unknown) => this.#fail(error));
      this.#settle(prepared, item);
      // Accepted documents are committed by now: they are not embedded again when the call is repeated.
      for (const document of item) invalid.refuse(document, prepared.refused.get(document.hash));
      const done = tally.ids.length + invalid.found.length;
      onProgress?.({ stage: 'add', done, ...(total === undefined ? {} : { total }) });
    }
    await this.#context.space.measured(tally.embedded, this.#embeddedCharacters, (performance.now() - began) / 1000);
    return {
      ...tally,
      ...(filter === undefined ? {} : { duplicates }),
      ...(options.onInvalid === 'skip' ? { invalid: invalid.found } : {}),
    };
  }

  get #depth(): number {
    return this.#context.space.parallel ? batchesAhead.parallelCalls : batchesAhead.oneCall;
  }

  async *#checkedBatches<M extends Metadata>(
    documents: Documents<M>,
    { batchSize, signal, onInvalid }: ResolvedAddOptions,
    invalid: InvalidDocuments,
  ): AsyncGenerator<CheckedDocument[]> {
    const slice = new TimeSlice();
    const ids = new Set<DocumentId>();
    let position = 0;
    if (Array.isArray(documents) && onInvalid === 'error') {
      // An array is checked as a whole before anything is written.
      for (const input of documents as (string | DocumentInput)[]) {
        const { id, vector } = checkInput(await this.#ruled(input, position), position, this.#layout);
        this.#checkInCall(id, vector, position++, ids);
        if (slice.due()) await slice.yieldIfDue(signal);
      }
      ids.clear();
      position = 0;
    }
    let batch: UnhashedDocument[] = [];
    for await (const input of documents) {
      try {
        batch.push(this.#check(await this.#ruled(input, position), position, ids));
      } catch (error) {
        invalid.reject(input, position, error);
      }
      position++;
      if (slice.due()) await slice.yieldIfDue(signal);
      if (batch.length === batchSize) {
        yield await hashInSlices(batch, slice, signal);
        batch = [];
      }
    }
    if (batch.length > 0) yield await hashInSlices(batch, slice, signal);
  }

  /** The document with the metadata that the rules of the index make of its own. */
  #ruled(input: string | DocumentInput, position: number): string | DocumentInput | Promise<string | DocumentInput> {
    return this.#rules === undefined ? input : this.#rules.document(input, position);
  }

  #check(input: string | DocumentInput, position: number, ids: Set<DocumentId>): UnhashedDocument {
    const document = checkUnhashed(input, position, this.#layout);
    this.#checkInCall(document.id, document.vector, position, ids);
    return document;
  }

  /** Checks a document against the others of the call, and against the index. */
  #checkInCall(
    id: DocumentId | undefined,
    vector: Float32Array | undefined,
    position: number,
    ids: Set<DocumentId>,
  ): void {
    if (id !== undefined && ids.has(id)) {
      throw new SemanticIndexError('DUPLICATE_ID', `The id ${describe(id)} occurs twice in one call`, {
        details: { position },
      });
    }
    if (vector !== undefined) this.#context.space.checkDimensions(vector.length);
    if (id !== undefined) ids.add(id);
  }

  /** Replaced documents are deleted after their replacement is committed: a process that is killed in between leaves both. */
  async #commitDecided(
    { keep, remove, ids, duplicates }: DuplicateDecision,
    prepared: Prepared,
    tally: Tally,
    found: AddedDuplicate[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (keep.length > 0) await this.#commit(keep, prepared, tally, signal);
    if (remove.length > 0) await this.#context.backend.deleteByIds(remove);
    tally.ids.push(...ids);
    found.push(...duplicates);
  }

  async #commit(
    batch: readonly CheckedDocument[],
    prepared: Prepared,
    tally: Tally,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    let current = prepared;
    let left = batch;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const { numbers, terms, changed } = current;
      const isChanged = new Set(changed);
      const documents = left.map(({ id, text, hash, metadata, position }) => {
        const vector = isChanged.has(position) ? (numbers.get(hash) ?? 0) : 0;
        return { id, text, hash, metadata, vector };
      });
      const termsLeft = terms && termsOfBatch(left, changed, terms);
      const outcomes = await this.#context.backend.commit(documents, termsLeft, current.fresh);
      this.#settle(current, left);
      for (const outcome of outcomes) if (outcome !== undefined) tally[outcome]++;
      left = left.filter((_, place) => outcomes[place] === undefined);
      if (left.length === 0) return;
      current = await this.#prepared(left, tally, signal, undefined);
    }
    throw new SemanticIndexError(
      'BUSY',
      'Gave up after repeated write conflicts: other processes kept modifying the same documents',
    );
  }

  /** Batches that wait for the vectors of others wait no more: these may never be committed. */
  #fail(error: unknown): never {
    this.#hasFailed = true;
    for (const unsettled of this.#unsettled) unsettled.settle();
    throw error;
  }

  /** The vectors of a batch are stored: others that need them find them. */
  #settle(prepared: Prepared, batch: readonly CheckedDocument[]): void {
    this.#unsettled.delete(prepared);
    prepared.settle();
    for (const { hash } of batch) this.#embedding.delete(hash);
  }

  /**
   * Vectors and terms of those documents whose content is not in the index. Unknown vectors are embedded and stored. Without
   * `refused` a refused text is an error.
   */
  async #prepared(
    batch: readonly CheckedDocument[],
    tally: Tally,
    signal: AbortSignal | undefined,
    refused: Refused | undefined = new Map(),
  ): Promise<Prepared> {
    const changes = await this.#context.backend.classify(batch);
    const documents = batch.filter((_, position) => changes[position] !== 'unchanged');
    const { promise: settled, resolve: settle } = withResolvers();
    const prepared: Prepared = {
      changed: documents.map(({ position }) => position),
      numbers: new Map(),
      refused,
      terms: undefined,
      fresh: undefined,
      settled,
      settle,
    };
    const embedded = documents.filter(({ vector }) => vector === undefined);
    const texts = new Map(embedded.map(({ hash, text, id }) => [hash, { text, owner: id }]));
    // Normally all texts are new: those that are embedded in a thread are analyzed there, too.
    const isOnePass = this.#context.space.embedsInThread && texts.size === documents.length;
    const analysis = await this.#analysisOf(documents);
    const analyzing = isOnePass ? undefined : this.#analyzed(documents, analysis, signal);
    // Its error is thrown below; this avoids an unhandled rejection meanwhile.
    analyzing?.catch(() => {});
    await this.#storeGiven(
      documents.filter((document) => document.vector !== undefined),
      prepared.numbers,
    );
    await this.#storeVectors(texts, documents.length, analysis, prepared, tally, signal);
    prepared.terms ??= await (analyzing ?? this.#analyzed(documents, analysis, signal));
    return prepared;
  }

  /** The terms of documents, analyzed in a thread; undefined for a few texts, which the catalog analyzes. */
  async #analyzed(
    documents: readonly CheckedDocument[],
    { setting, analyze }: BatchAnalysis,
    signal: AbortSignal | undefined,
  ): Promise<DocumentTerms | undefined> {
    const texts = documents.map(({ text }) => text);
    if (!isWorthThread(texts)) return undefined;
    const { terms, languages } = await textWorkers().prepare({ texts, model: undefined, analyze }, signal);
    return terms && { packed: terms, analysis: setting, languages };
  }

  /** How the documents of a batch are analyzed, as of now. */
  async #analysisOf(documents: readonly CheckedDocument[]): Promise<BatchAnalysis> {
    const setting = await storedAnalysis(this.#context.backend);
    const analysis = analysisFromSetting(setting);
    const own =
      analysis.field === undefined ? undefined : documents.map((one) => namedLanguage(analysis, one.metadata));
    return { setting, analyze: { language: analysis.language, own, weights: analysis.layout?.weights } };
  }

  /** Finds or makes the vectors of texts. If these are all texts of so many documents, their terms may be found along the way. */
  async #storeVectors(
    texts: Map<string, NewText>,
    documents: number,
    analysis: BatchAnalysis,
    prepared: Prepared,
    tally: Tally,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await this.#findKnown(texts, prepared.numbers);
    while (texts.size > 0) {
      // Texts that another batch is embedding are not embedded twice; if that one fails, they are looked for again.
      const elsewhere = [...texts.keys()].flatMap((hash) => this.#embedding.get(hash) ?? []);
      const own = new Map([...texts].filter(([hash]) => !this.#embedding.has(hash)));
      const embedding = this.#embed(own, own.size === documents ? analysis : undefined, prepared, tally, signal);
      const stored = embedding.then(() => (prepared.fresh === undefined ? undefined : prepared.settled));
      // Its error is thrown below.
      stored.catch(() => {});
      for (const hash of own.keys()) {
        this.#embedding.set(hash, stored);
        texts.delete(hash);
      }
      await embedding;
      await Promise.allSettled(elsewhere);
      for (const hash of texts.keys()) this.#embedding.delete(hash);
      await this.#findKnown(texts, prepared.numbers);
    }
  }

  async #storeGiven(documents: readonly CheckedDocument[], numbers: Map<string, number>): Promise<void> {
    const vectors = documents.map(({ vector }) => vector as Float32Array);
    const [first] = vectors;
    if (first === undefined) return;
    const space = await this.#context.space.choose(first.length);
    for (const vector of vectors) this.#context.space.checkDimensions(vector.length);
    const hashes = documents.map(({ hash }) => hash);
    const owners = documents.map(({ id }) => id);
    keep(numbers, hashes, await this.#context.backend.putVectors(space, 'given', hashes, vectors, owners));
  }

  async #findKnown(texts: Map<string, NewText>, numbers: Map<string, number>): Promise<void> {
    const { space } = this.#context.backend;
    if (space === undefined || texts.size === 0) return;
    const hashes = [...texts.keys()];
    keep(numbers, hashes, await this.#context.backend.findVectors(space.space, 'document', hashes));
    for (const hash of hashes) if (numbers.has(hash)) texts.delete(hash);
  }

  /** Each batch of the provider is durable as soon as it arrives: a crash loses no vector that was paid for. */
  async #embed(
    texts: ReadonlyMap<string, NewText>,
    analysis: BatchAnalysis | undefined,
    prepared: Prepared,
    tally: Tally,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (texts.size === 0) return;
    const { numbers, refused } = prepared;
    const hashes = [...texts.keys()];
    const wanted = [...texts.values()];
    const role = 'document';
    const onRefused = ({ index, error }: RefusedText): void => {
      refused.set(hashes[index] as string, error);
    };
    const asked = { role, signal, onRefused, analyze: analysis?.analyze } as const;
    const all = wanted.map(({ text }) => text);
    for await (const landed of this.#context.space.embed(all, asked)) {
      const length =
        landed.packed === undefined ? (landed.vectors[0] as Float32Array).length : landed.packed.length / hashes.length;
      // If the index moves to another space meanwhile, these vectors stay in theirs, and the commit is refused.
      const space = landed.space ?? (await this.#context.space.choose(length));
      const landedHashes = landed.indices.map((position) => hashes[position] as string);
      if (landed.packed !== undefined && this.#mayDefer) {
        prepared.fresh = { space, role, hashes: landedHashes, vectors: landed.packed };
        this.#unsettled.add(prepared);
        if (this.#hasFailed) prepared.settle();
        for (const hash of landedHashes) numbers.set(hash, freshVector);
      } else {
        const owners = landed.indices.map((position) => (wanted[position] as NewText).owner);
        const { backend } = this.#context;
        keep(numbers, landedHashes, await backend.putVectors(space, role, landedHashes, landed.vectors, owners));
      }
      const { terms, languages = [] } = landed;
      prepared.terms =
        terms === undefined || analysis === undefined
          ? undefined
          : { packed: terms, analysis: analysis.setting, languages };
      if (landed.cached) continue;
      tally.embedded += landedHashes.length;
      tally.tokens += landed.tokens;
      for (const hash of landedHashes) this.#embeddedCharacters += texts.get(hash)?.text.length ?? 0;
    }
  }
}

/** The terms of the changed documents that are still in the batch, from those of all that changed. */
function termsOfBatch(
  batch: readonly CheckedDocument[],
  changed: readonly number[],
  terms: DocumentTerms,
): DocumentTerms {
  const left = new Set(batch.map(({ position }) => position));
  if (changed.every((position) => left.has(position))) return terms;
  return { ...terms, packed: selectPackedTerms(terms.packed, (place) => left.has(changed[place] as number)) };
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Adds the numbers of found vectors; 0 is none. */
function keep(numbers: Map<string, number>, hashes: readonly string[], found: readonly number[]): void {
  hashes.forEach((hash, position) => {
    const number = found[position] ?? 0;
    if (number > 0) numbers.set(hash, number);
  });
}
