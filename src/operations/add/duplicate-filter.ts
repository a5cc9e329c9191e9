import { textOf } from '../../analysis/fields/stored-text.js';
import type { ComparedWords } from '../../analysis/likeness/compared-words.js';
import { DuplicateScorer } from '../../analysis/likeness/duplicate-scorer.js';
import { type ComparedText, type Likeness, likenessOf } from '../../analysis/near-duplicate.js';
import type { Representative } from '../../backend/documents.js';
import { duplicateThreshold } from '../../check-arguments.js';
import { loadWordKnowledge } from '../../embed/bundled/bundled-provider.js';
import { type DuplicateMeasure, defaultMeasure, type ResolvedAddOptions } from '../../options.js';
import { TimeSlice } from '../../time-slice.js';
import type { AddedDuplicate, DocumentId } from '../../types.js';
import { scoreOf } from '../../vectors/metric.js';
import { VectorBuffer } from '../../vectors/vector-buffer.js';
import type { CheckedDocument } from '../checked-document.js';
import type { OperationContext } from '../context.js';

/** The decision on a batch. */
export interface DuplicateDecision {
  /** Documents to commit, links entered. */
  readonly keep: readonly CheckedDocument[];
  /** Documents of the index to delete once these are committed. */
  readonly remove: readonly DocumentId[];
  /** Ids in the order of the batch; a skipped document has the id of the one that it duplicates. */
  readonly ids: readonly DocumentId[];
  readonly duplicates: readonly AddedDuplicate[];
}

interface ReadText extends ComparedText {
  /** Undefined where the vectors decide. */
  readonly words: ComparedWords | undefined;
}

/** A document that others may be duplicates of. */
interface Match {
  readonly id: DocumentId;
  /** What the threshold is compared with. */
  readonly value: number;
  readonly similarity: number;
}

/** Neighbors compared with each document: some of them may be linked to others, and do not count. */
const neighbors = 16;
/** Documents whose neighbors are searched for in one call: their vectors fit into a cache of the processor. */
const documentsPerStep = 128;
/** Neighbors from this similarity on are compared word by word, whatever the threshold. */
const sameWordsFrom = 0.5;

/**
 * Compares documents with their nearest neighbors before they are added: with documents of the index that are not
 * linked to another one, and with earlier ones of the batch, so duplicates are never chained. Texts of the same words
 * have value 1; for others the probability that `DuplicateScorer` estimates decides or, if that was asked for, the similarity of the
 * vectors, as far as the model sees the difference (`likenessOf`). A document
 * whose id the index has is an update and is not compared.
 */
export class DuplicateFilter {
  readonly #context: OperationContext;
  readonly #action: Exclude<ResolvedAddOptions['onDuplicate'], 'add'>;
  readonly #threshold: number;
  readonly #measure: DuplicateMeasure;
  readonly #signal: AbortSignal | undefined;
  #scorer: DuplicateScorer | undefined;

  private constructor(
    context: OperationContext,
    action: Exclude<ResolvedAddOptions['onDuplicate'], 'add'>,
    options: ResolvedAddOptions,
  ) {
    this.#context = context;
    this.#action = action;
    const { measure = defaultMeasure(context.space.fingerprint), threshold } = options;
    this.#threshold = duplicateThreshold('addDocuments', { measure, threshold });
    this.#measure = measure;
    this.#signal = options.signal;
  }

  /** Undefined when duplicates are added like other documents. */
  static for(context: OperationContext, options: ResolvedAddOptions): DuplicateFilter | undefined {
    const { onDuplicate } = options;
    return onDuplicate === 'add' ? undefined : new DuplicateFilter(context, onDuplicate, options);
  }

  /** `vectors` are the numbers of the vectors of new texts, by content hash. */
  async decide(batch: readonly CheckedDocument[], vectors: ReadonlyMap<string, number>): Promise<DuplicateDecision> {
    const dimensions = this.#context.backend.space?.dimensions;
    // Without a space there is not one vector: everything was there already.
    if (dimensions === undefined) return { keep: batch, remove: [], ids: batch.map(({ id }) => id), duplicates: [] };
    if (this.#measure === 'probability') this.#scorer ??= new DuplicateScorer(await loadWordKnowledge());
    const numbers = batch.map(({ hash }) => vectors.get(hash) ?? 0);
    const ids = batch.map(({ id }) => id);
    const { known, same, vectors: packed } = await this.#context.backend.findDuplicates(ids, numbers, dimensions);
    // Documents about to change are not compared with.
    const updates = new Set(ids.filter((_, place) => known[place]));
    const decision = new FilterDecision(this.#action);
    // What this batch adds that stands for itself; row numbers are places in `standing`.
    const buffer = new VectorBuffer(dimensions, this.#context.backend.metric);
    const standing: { readonly id: DocumentId; readonly compared: ReadText }[] = [];
    const slice = new TimeSlice();
    try {
      for (let first = 0; first < batch.length; first += documentsPerStep) {
        const last = Math.min(first + documentsPerStep, batch.length);
        const rows = packed.subarray(first * dimensions, last * dimensions);
        const texts = batch.slice(first, last).map(({ text }) => textOf(text));
        const compared = await this.#compared(texts);
        const stored = await this.#stored(
          rows,
          compared,
          same.slice(first, last),
          dimensions,
          numbers.slice(first, last),
          updates,
        );
        for (let place = first; place < last; place++) {
          if (slice.due()) await slice.yieldIfDue(this.#signal);
          const document = batch[place] as CheckedDocument;
          const vector = packed.subarray(place * dimensions, (place + 1) * dimensions);
          if (updates.has(document.id) || numbers[place] === 0) {
            decision.add(document);
            continue;
          }
          const own = compared[place - first] as ReadText;
          const before = await this.#earlier(buffer, vector, own, standing);
          const matches = [...(stored[place - first] ?? []), ...before.filter(({ id }) => !decision.isGone(id))];
          if (decision.decide(document, matches)) {
            standing.push({ id: document.id, compared: own });
            buffer.append(vector);
          }
        }
      }
    } finally {
      buffer.close();
    }
    return decision;
  }

  /** For each document what the index has that says the same and stands for itself, the most similar first. */
  async #stored(
    vectors: Float32Array,
    compared: readonly ReadText[],
    same: readonly (readonly number[])[],
    dimensions: number,
    numbers: readonly number[],
    updates: ReadonlySet<DocumentId>,
  ): Promise<Match[][]> {
    const rows = numbers.flatMap((number, row) => (number === 0 ? [] : [row]));
    const queries = new Float32Array(rows.length * dimensions);
    rows.forEach((row, place) => {
      queries.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), place * dimensions);
    });
    const lists =
      rows.length === 0
        ? []
        : await this.#context.backend.search({ queries, count: rows.length, k: neighbors, signal: this.#signal });
    const similarities = numbers.map((_, row) => {
      const near = new Map<number, number>((same[row] ?? []).map((key) => [key, 1]));
      for (const { key, distance } of lists[rows.indexOf(row)] ?? []) {
        const similarity = this.#similarity(distance);
        if (similarity >= this.#lowest && !near.has(key)) near.set(key, similarity);
      }
      return near;
    });
    const keys = [...new Set(similarities.flatMap((near) => [...near.keys()]))];
    const standing: Representative[] = keys.length === 0 ? [] : await this.#context.backend.representatives(keys);
    const others = await this.#compared(standing.map(({ text }) => textOf(text)));
    const found = new Map(standing.map(({ key, id }, place) => [key, { id, compared: others[place] as ReadText }]));
    return similarities.map((near, row) =>
      [...near]
        .flatMap(([key, similarity]) => {
          const other = found.get(key);
          if (other === undefined || updates.has(other.id)) return [];
          return this.#match(compared[row] as ReadText, other, similarity);
        })
        .sort((a, b) => b.value - a.value || b.similarity - a.similarity),
    );
  }

  async #earlier(
    buffer: VectorBuffer,
    vector: Float32Array,
    own: ReadText,
    standing: readonly { readonly id: DocumentId; readonly compared: ReadText }[],
  ): Promise<Match[]> {
    if (buffer.length === 0) return [];
    const { items, distances } = await buffer.search(vector, Math.min(neighbors, buffer.length));
    return Array.from(items).flatMap((item, rank) => {
      const other = standing[item];
      const similarity = this.#similarity(distances[rank] as number);
      return other === undefined || similarity < this.#lowest ? [] : this.#match(own, other, similarity);
    });
  }

  async #compared(texts: readonly string[]): Promise<ReadText[]> {
    const scorer = this.#scorer;
    if (scorer !== undefined) {
      return texts.map((text) => ({ text, knownWords: undefined, words: scorer.read(text) }));
    }
    const known = await this.#context.space.knownWords(texts);
    return texts.map((text, place) => ({ text, knownWords: known[place], words: undefined }));
  }

  /** The other document as a match, where it is a duplicate. */
  #match(own: ReadText, other: { id: DocumentId; compared: ReadText }, similarity: number): Match[] {
    const { id } = other;
    const likeness = likenessOf(own, other.compared, similarity);
    if (likeness === 'same words') return [{ id, value: 1, similarity: 1 }];
    const value = this.#valueOf(own, other.compared, likeness, similarity);
    return value >= this.#threshold ? [{ id, value, similarity }] : [];
  }

  #valueOf(own: ReadText, other: ReadText, likeness: Likeness, similarity: number): number {
    if (this.#scorer !== undefined && own.words !== undefined && other.words !== undefined) {
      return this.#scorer.probability(own.words, other.words);
    }
    return likeness === 'decided by similarity' ? similarity : Number.NEGATIVE_INFINITY;
  }

  /** Less similar documents are not looked at. */
  get #lowest(): number {
    return this.#measure === 'probability' ? Number.NEGATIVE_INFINITY : Math.min(this.#threshold, sameWordsFrom);
  }

  #similarity(distance: number): number {
    return Math.min(1, scoreOf(this.#context.backend.metric, distance, this.#context.backend.space?.dimensions));
  }
}

/** Collects the decision. */
class FilterDecision implements DuplicateDecision {
  readonly ids: DocumentId[] = [];
  readonly duplicates: AddedDuplicate[] = [];
  readonly #action: Exclude<ResolvedAddOptions['onDuplicate'], 'add'>;
  readonly #kept = new Map<DocumentId, CheckedDocument>();
  readonly #gone = new Set<DocumentId>();

  constructor(action: Exclude<ResolvedAddOptions['onDuplicate'], 'add'>) {
    this.#action = action;
  }

  get keep(): readonly CheckedDocument[] {
    return [...this.#kept.values()];
  }

  /** What the batch itself brought and replaced was never committed. */
  get remove(): readonly DocumentId[] {
    return [...this.#gone];
  }

  isGone(id: DocumentId): boolean {
    return this.#gone.has(id);
  }

  add(document: CheckedDocument): void {
    this.ids.push(document.id);
    this.#gone.delete(document.id);
    this.#kept.set(document.id, document);
  }

  /** Whether the document stands for itself. */
  decide(document: CheckedDocument, matches: readonly Match[]): boolean {
    const others = matches
      .filter(({ id }) => id !== document.id && !this.#gone.has(id))
      .sort((a, b) => b.value - a.value || b.similarity - a.similarity);
    const [best] = others;
    if (best === undefined) {
      this.add(document);
      return true;
    }
    const { id } = document;
    this.duplicates.push({ id, of: best.id, value: best.value, similarity: best.similarity, action: this.#action });
    if (this.#action === 'skip') {
      this.ids.push(best.id);
      return false;
    }
    if (this.#action === 'link') {
      const metadata = JSON.stringify({ ...JSON.parse(document.metadata ?? '{}'), duplicateOf: best.id });
      this.add({ ...document, metadata });
      return false;
    }
    for (const other of others) {
      this.#kept.delete(other.id);
      this.#gone.add(other.id);
    }
    this.add(document);
    return true;
  }
}
