import { contentHash } from '../backend/content-hash.js';
import type { DismissedDuplicate } from '../backend/notes.js';
import { checkOneOf } from '../check-arguments.js';
import { SemanticIndexError } from '../errors.js';
import { describe, resolveOptions } from '../options.js';
import { type SemanticIndex, storedNotes } from '../semantic-index.js';
import type { DocumentId, Metadata } from '../types.js';
import { explainPair, type PairExplanation } from './explain-pair.js';
import { type ApplyOptions, applyDefaults, type OutlierOptions, outlierDefaults } from './options.js';

/** A document that duplicates its representative. */
export interface Duplicate {
  readonly id: DocumentId;
  /** `exact`: same text; `normalized`: same words, ignoring case and punctuation; `near`: other words. */
  readonly kind: 'exact' | 'normalized' | 'near';
  /** What the threshold is compared with: the probability or, if that was asked for, the similarity. 1 for the first two kinds. */
  readonly value: number;
  /** Similarity of the vectors to those of the representative; 1 for the first two kinds. */
  readonly similarity: number;
}

/** A representative and its duplicates, the highest value first. */
export interface DuplicateGroup {
  readonly representative: DocumentId;
  readonly duplicates: readonly Duplicate[];
}

/** A document and the similarity of its nearest neighbor. */
export interface Outlier {
  readonly id: DocumentId;
  readonly similarity: number;
}

/** Arguments of `Duplicates`. */
export interface DuplicateFindings<M extends Metadata> {
  /** The index that `apply` changes. */
  readonly index: SemanticIndex<M>;
  /** The index of the representatives. */
  readonly reference: SemanticIndex<M>;
  /** Number of documents compared. */
  readonly documents: number;
  /** Lowest value that was searched. */
  readonly lowest: number;
  /** Computes the groups at a threshold in steps. */
  group(threshold: number): Generator<void, DuplicateGroup[]>;
  /** Documents with the similarity of their nearest neighbor, least similar first. */
  outliers(): Outlier[];
}

const documentsPerStep = 256;

/**
 * Duplicates found by `findDuplicates`. The index is unchanged until `apply` deletes or links them. The value of each
 * member of a group and its representative is at least the threshold; that of two members may be lower.
 */
export class Duplicates<M extends Metadata = Metadata> {
  /** Value at or above which two texts count as duplicates. */
  readonly threshold: number;
  /** Number of documents compared. */
  readonly documents: number;
  /** Groups of two or more documents, in the order of their representatives. */
  readonly groups: readonly DuplicateGroup[];
  readonly #findings: DuplicateFindings<M>;
  #membership: Map<DocumentId, { duplicate: Duplicate; representative: DocumentId }> | undefined;

  /** @internal Created by `findDuplicates`. */
  constructor(findings: DuplicateFindings<M>, threshold: number, groups: readonly DuplicateGroup[]) {
    this.#findings = findings;
    this.threshold = threshold;
    this.documents = findings.documents;
    this.groups = groups;
  }

  /** Ids of all duplicates, without their representatives. */
  get ids(): DocumentId[] {
    return this.groups.flatMap(({ duplicates }) => duplicates.map(({ id }) => id));
  }

  /** Fraction of the documents that are duplicates, from 0 to 1. */
  get ratio(): number {
    const count = this.groups.reduce((sum, { duplicates }) => sum + duplicates.length, 0);
    return this.documents === 0 ? 0 : count / this.documents;
  }

  /**
   * Returns the groups at a higher threshold, without searching again.
   *
   * @throws INVALID_ARGUMENT when the threshold is lower than that of the search.
   * @example const stricter = duplicates.rethreshold(0.98)
   */
  rethreshold(threshold: number): Duplicates<M> {
    const { lowest } = this.#findings;
    if (!Number.isFinite(threshold) || threshold < lowest) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `rethreshold: expected a threshold of at least ${lowest}, got ${describe(threshold)}`,
        {
          hint: 'Call findDuplicates with a lower threshold.',
        },
      );
    }
    const work = this.#findings.group(threshold);
    for (;;) {
      const { done, value } = work.next();
      if (done === true) return new Duplicates(this.#findings, threshold, value);
    }
  }

  /**
   * Compares a duplicate with its representative, or two documents: their texts, the words removed and added, and their
   * similarity.
   *
   * @throws INVALID_ARGUMENT when the document is not a duplicate and no other id is passed; NOT_FOUND.
   * @example const { removed, added } = await duplicates.explain('faq-12')
   */
  async explain(id: DocumentId, other?: DocumentId): Promise<PairExplanation> {
    const { index, reference } = this.#findings;
    if (other !== undefined) return explainPair(index, other, index, id);
    const member = this.#member(id);
    if (member === undefined) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `explain: ${describe(id)} is not a duplicate of another document`,
        {
          hint: 'Pass the id of a duplicate, or the ids of two documents.',
        },
      );
    }
    return explainPair(reference, member.representative, index, id);
  }

  #member(id: DocumentId): { duplicate: Duplicate; representative: DocumentId } | undefined {
    this.#membership ??= new Map(
      this.groups.flatMap(({ representative, duplicates }) =>
        duplicates.map((duplicate) => [duplicate.id, { duplicate, representative }] as const),
      ),
    );
    return this.#membership.get(id);
  }

  /** Returns the documents least similar to any other, least similar first. @example duplicates.outliers({ limit: 5 }) */
  outliers(options?: OutlierOptions): Outlier[] {
    const { below, limit } = resolveOptions('outliers', options, outlierDefaults);
    return this.#findings
      .outliers()
      .filter(({ similarity }) => similarity < below)
      .slice(0, limit);
  }

  /**
   * Deletes the duplicates, or links them by setting `duplicateOf` in their metadata to the id of the representative. Returns the
   * number of documents changed; documents deleted meanwhile are skipped. The index remembers the deleted ones: `sync` does not
   * add one again until its text changes or its representative is deleted.
   *
   * @throws READ_ONLY, BUSY, IO.
   * @example await duplicates.apply('delete')
   */
  async apply(action: 'delete' | 'link', options?: ApplyOptions): Promise<number> {
    const { signal, onProgress } = resolveOptions('apply', options, applyDefaults);
    checkOneOf('apply', 'action', action, ['delete', 'link']);
    const { ids } = this;
    let changed = 0;
    for (let first = 0; first < ids.length; first += documentsPerStep) {
      signal?.throwIfAborted();
      const step = ids.slice(first, first + documentsPerStep);
      changed += await (action === 'delete' ? this.#delete(step) : this.#link(step));
      onProgress?.({ stage: action, done: Math.min(first + documentsPerStep, ids.length), total: ids.length });
    }
    return changed;
  }

  async #delete(ids: readonly DocumentId[]): Promise<number> {
    const { index, reference } = this.#findings;
    const own = index === reference;
    const pairs = ids.map((id) => ({ id, representative: this.#member(id)?.representative as DocumentId }));
    const documents = await index.getDocuments(ids);
    const stayed = own ? await index.getDocuments(pairs.map(({ representative }) => representative)) : [];
    // Recorded first: if the process is killed before the deletion, `sync` still adds what exists.
    await index[storedNotes].dismiss(
      pairs.flatMap(({ id, representative }, position): DismissedDuplicate[] => {
        const [document, other] = [documents[position], stayed[position]];
        if (document === undefined || (own && other === undefined)) return [];
        const text = contentHash(document.text);
        if (other === undefined) return [{ id, text, representative: null, representativeText: null }];
        return [{ id, text, representative, representativeText: contentHash(other.text) }];
      }),
    );
    return index.deleteDocuments(ids);
  }

  async #link(ids: readonly DocumentId[]): Promise<number> {
    const { index } = this.#findings;
    const documents = await index.getDocuments(ids);
    const changes = documents.flatMap((document) => {
      const duplicateOf = document === undefined ? undefined : this.#member(document.id)?.representative;
      if (document === undefined || duplicateOf === undefined) return [];
      return [{ id: document.id, metadata: { ...document.metadata, duplicateOf } }];
    });
    return index.updateMetadata(changes);
  }
}
