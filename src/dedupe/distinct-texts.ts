import { createHash } from 'node:crypto';
import { isDecidedByVectors } from '../analysis/near-duplicate.js';
import { normalizedText } from '../analysis/normalized-text.js';
import type { SemanticIndex } from '../semantic-index.js';
import { TimeSlice } from '../time-slice.js';
import type { WhereOf } from '../types/where-of.js';
import type { DocumentId, LongWorkOptions, Metadata } from '../types.js';
import type { WordStore } from './pair-measure.js';

const documentsPerPage = 256;

/** What is kept of the texts, beside their equality. */
export interface ReadTexts extends LongWorkOptions {
  /** Keep the words that the model knows, for `isDecidedByVectors`. */
  readonly known: boolean;
  /** Keep all words here. Default: they are not. */
  readonly words?: WordStore | undefined;
}

/** The first 128 bits of SHA-256; the probability of a collision among a billion texts is 1 in 10^20. */
function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

/**
 * The documents of an index grouped by equal text, and the texts by equal words. Stores fingerprints instead of texts, about 200
 * bytes a document. Documents, texts and wordings are numbered from 0 in the order of the index.
 */
export class DistinctTexts {
  /** Id of each document. */
  readonly ids: DocumentId[] = [];
  /** Text of each document. */
  readonly textOf: number[] = [];
  /** First document of each text. */
  readonly firstOf: number[] = [];
  /** Number of documents with each text. */
  readonly copies: number[] = [];
  /** Length of each text in characters. */
  readonly lengths: number[] = [];
  /** Wording of each text; texts with the same normalized words share one. */
  readonly wordingOf: number[] = [];
  /** Texts of each wording. */
  readonly textsOf: number[][] = [];
  /**
   * Number of the words that the model knows in each text. Texts with the same number are indistinguishable to the model; -1 means
   * that it knows too few of the words. Undefined when the provider does not declare them.
   */
  readonly knownOf: (number | undefined)[] = [];
  readonly #known = new Map<string, number>([['', -1]]);
  readonly #documents = new Map<DocumentId, number>();
  readonly #texts = new Map<string, number>();
  readonly #wordings = new Map<string, number>();

  /** Reads all documents, or those that match. */
  static async read<M extends Metadata>(
    index: SemanticIndex<M>,
    where: WhereOf<M> | undefined,
    { known: wanted, words, signal, onProgress }: ReadTexts,
  ): Promise<DistinctTexts> {
    const texts = new DistinctTexts();
    const slice = new TimeSlice();
    const total = await index.count({ where });
    let after: string | undefined;
    do {
      signal?.throwIfAborted();
      const page = await index.listDocuments({ where, after, limit: documentsPerPage });
      const known = wanted ? await index.knownWords(page.documents.map(({ text }) => text)) : [];
      for (const [place, { id, text }] of page.documents.entries()) {
        if (texts.add(id, text, known[place])) words?.add(text);
        if (slice.due()) await slice.yieldIfDue(signal);
      }
      onProgress?.({ stage: 'read', done: texts.ids.length, total });
      after = page.next;
    } while (after !== undefined);
    return texts;
  }

  /** Whether no document before had the text. */
  add(id: DocumentId, text: string, knownWords?: string): boolean {
    const document = this.ids.length;
    this.ids.push(id);
    this.#documents.set(id, document);
    const name = fingerprint(text);
    const known = this.#texts.get(name);
    if (known !== undefined) {
      this.textOf.push(known);
      this.copies[known] = (this.copies[known] as number) + 1;
      return false;
    }
    const number = this.firstOf.length;
    this.#texts.set(name, number);
    this.textOf.push(number);
    this.firstOf.push(document);
    this.copies.push(1);
    this.lengths.push(text.length);
    this.knownOf.push(this.#numberOf(knownWords));
    const words = fingerprint(normalizedText(text));
    const wording = this.#wordings.get(words) ?? this.textsOf.length;
    if (wording === this.textsOf.length) {
      this.#wordings.set(words, wording);
      this.textsOf.push([]);
    }
    this.wordingOf.push(wording);
    this.textsOf[wording]?.push(number);
    return true;
  }

  #numberOf(knownWords: string | undefined): number | undefined {
    if (knownWords === undefined || knownWords === '') return knownWords === '' ? -1 : undefined;
    const name = fingerprint(knownWords);
    const number = this.#known.get(name) ?? this.#known.size;
    this.#known.set(name, number);
    return number;
  }

  /** Whether vectors can decide if two texts of different words are near duplicates; see `likenessOf`. */
  isDecidedByVectors(a: number, b: number, similarity: number): boolean {
    const [known, other] = [this.knownOf[a], this.knownOf[b]];
    if (known === -1 || other === -1) return false;
    return isDecidedByVectors(known, other, similarity);
  }

  /** Same for a text of this list and one of another index. */
  isDecidedAgainst(text: number, knownWords: string | undefined, similarity: number): boolean {
    if (knownWords === undefined) return isDecidedByVectors(undefined, undefined, similarity);
    if (knownWords === '' || this.knownOf[text] === -1) return false;
    return isDecidedByVectors(this.knownOf[text], this.#known.get(fingerprint(knownWords)) ?? 0, similarity);
  }

  /** Number of a document; undefined when it was not read. */
  documentOf(id: DocumentId): number | undefined {
    return this.#documents.get(id);
  }

  /** Text of a document; undefined when it was not read. */
  textOfId(id: DocumentId): number | undefined {
    const document = this.#documents.get(id);
    return document === undefined ? undefined : this.textOf[document];
  }

  /** Id of the first document with a text. */
  idOfText(text: number): DocumentId {
    return this.ids[this.firstOf[text] as number] as DocumentId;
  }

  /** Number of the equal text, or else of the first text with the same words. */
  find(text: string): { text: number; kind: 'exact' | 'normalized' } | undefined {
    const same = this.#texts.get(fingerprint(text));
    if (same !== undefined) return { text: same, kind: 'exact' };
    const wording = this.#wordings.get(fingerprint(normalizedText(text)));
    const [first] = wording === undefined ? [] : (this.textsOf[wording] as number[]);
    return first === undefined ? undefined : { text: first, kind: 'normalized' };
  }
}
