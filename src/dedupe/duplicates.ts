import { checkOneOf } from '../check-arguments.js';
import { SemanticIndexError } from '../errors.js';
import {
  type ApplyOptions,
  applyDefaults,
  describe,
  type Given,
  type OutlierOptions,
  outlierDefaults,
  resolveOptions,
} from '../options.js';
import { type SemanticIndex, storedNotes } from '../semantic-index.js';
import type { DismissedDuplicate } from '../store/catalog/chunk-notes.js';
import { contentHash } from '../store/catalog/content-hash.js';
import type { DocumentId, Metadata } from '../types.js';
import { explainPair, type PairExplanation } from './explain-pair.js';

/** A document that another one stands for. */
export interface Duplicate {
  readonly id: DocumentId;
  /** `exact`: the same text; `normalized`: the same words, whatever their case and punctuation; `near`: alike in meaning. */
  readonly kind: 'exact' | 'normalized' | 'near';
  /** Similarity to the representative; 1 for the first two kinds. */
  readonly similarity: number;
}

/** A document and those that it stands for, the most similar first. */
export interface DuplicateGroup {
  readonly representative: DocumentId;
  readonly duplicates: readonly Duplicate[];
}

/** A document and how similar its nearest neighbour is. */
export interface Outlier {
  readonly id: DocumentId;
  readonly similarity: number;
}

/** What `Duplicates` are made from. */
export interface DuplicateFindings<M extends Metadata> {
  /** The index whose documents may go. */
  readonly index: SemanticIndex<M>;
  /** The index of the representatives. */
  readonly reference: SemanticIndex<M>;
  /** Documents that were looked at. */
  readonly documents: number;
  /** Nothing is known of pairs that are less similar. */
  readonly lowest: number;
  /** Groups at a threshold, a step at a time. */
  group(threshold: number): Generator<void, DuplicateGroup[]>;
  /** Documents with the similarity of their nearest neighbour, the most lonely first. */
  lonely(): Outlier[];
}

const documentsPerStep = 256;

/**
 * The duplicates that `findDuplicates` found. Nothing has changed yet: `apply` deletes or links them. Each member of a group
 * is at least as similar to its representative as the threshold says; members among each other may be less so.
 */
export class Duplicates<M extends Metadata = Metadata> {
  /** Similarity from which two texts count as duplicates. */
  readonly threshold: number;
  /** Documents that were looked at. */
  readonly documents: number;
  /** Groups of two and more, in the order of their representatives. */
  readonly groups: readonly DuplicateGroup[];
  readonly #findings: DuplicateFindings<M>;
  #membership: Map<DocumentId, { duplicate: Duplicate; representative: DocumentId }> | undefined;

  /** @internal Made by `findDuplicates`. */
  constructor(findings: DuplicateFindings<M>, threshold: number, groups: readonly DuplicateGroup[]) {
    this.#findings = findings;
    this.threshold = threshold;
    this.documents = findings.documents;
    this.groups = groups;
  }

  /** Ids of all documents that another one stands for. */
  get ids(): DocumentId[] {
    return this.groups.flatMap(({ duplicates }) => duplicates.map(({ id }) => id));
  }

  /** Share of the documents that could go, from 0 to 1. */
  get ratio(): number {
    const count = this.groups.reduce((sum, { duplicates }) => sum + duplicates.length, 0);
    return this.documents === 0 ? 0 : count / this.documents;
  }

  /**
   * The groups at a higher threshold, from what is known already: nothing is searched.
   *
   * @throws INVALID_ARGUMENT when the threshold is lower than the one that was searched with.
   */
  rethreshold(threshold: number): Duplicates<M> {
    const { lowest } = this.#findings;
    if (!Number.isFinite(threshold) || threshold < lowest) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `rethreshold: threshold is ${describe(threshold)}`, {
        hint: `Pass a number of at least ${lowest}, or call findDuplicates with a lower threshold.`,
      });
    }
    const work = this.#findings.group(threshold);
    for (;;) {
      const { done, value } = work.next();
      if (done === true) return new Duplicates(this.#findings, threshold, value);
    }
  }

  /**
   * What differs between a duplicate and its representative, or between two documents: their texts, the words that were
   * removed and added, and how similar they are.
   *
   * @throws INVALID_ARGUMENT when the document is nobody's duplicate and no other is given, NOT_FOUND.
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

  /** The documents that are least like any other, the loneliest first. */
  outliers(options?: Given<OutlierOptions>): Outlier[] {
    const { below, limit } = resolveOptions('outliers', options, outlierDefaults);
    return this.#findings
      .lonely()
      .filter(({ similarity }) => similarity < below)
      .slice(0, limit);
  }

  /**
   * Deletes the duplicates, or links them: their metadata gets `duplicateOf`, the id of their representative. Representatives
   * stay as they are. What has been deleted since is left out; returns how many documents were changed. The index remembers
   * what was deleted: `sync` does not add it again until its text changes or its representative is gone.
   *
   * @throws READ_ONLY, BUSY, IO.
   */
  async apply(action: 'delete' | 'link', options?: Given<ApplyOptions>): Promise<number> {
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
    // Noted first: what is still there when a process dies between the two is not left out.
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
