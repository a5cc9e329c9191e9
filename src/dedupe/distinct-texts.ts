import { createHash } from 'node:crypto';
import { isDecidedByVectors } from '../analysis/near-duplicate.js';
import { normalizedText } from '../analysis/normalized-text.js';
import type { SemanticIndex } from '../semantic-index.js';
import { TimeSlice } from '../time-slice.js';
import type { WhereOf } from '../types/where-of.js';
import type { DocumentId, LongWorkOptions, Metadata } from '../types.js';

const documentsPerPage = 256;

/** 128 bits of SHA-256: two of a billion texts are taken for one with a chance of 1 in 10^20. */
function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

/**
 * The documents of an index as de-duplication sees them: which have the same text, and which texts the same words. Texts
 * themselves are not kept, so a document costs some two hundred bytes. Documents, texts and wordings are numbered from 0
 * in the order in which they were met.
 */
export class DistinctTexts {
  /** Ids of the documents. */
  readonly ids: DocumentId[] = [];
  /** The text of each document. */
  readonly textOf: number[] = [];
  /** The first document of each text. */
  readonly firstOf: number[] = [];
  /** Documents that have each text. */
  readonly copies: number[] = [];
  /** Characters of each text. */
  readonly lengths: number[] = [];
  /** The wording of each text: which others have the same normalised words. */
  readonly wordingOf: number[] = [];
  /** Texts of each wording. */
  readonly textsOf: number[][] = [];
  /**
   * What the model knows of each text, as a number: texts with the same number look the same to it, and of texts with -1 it knows too
   * little. Undefined where its provider does not declare it.
   */
  readonly knownOf: (number | undefined)[] = [];
  readonly #known = new Map<string, number>([['', -1]]);
  readonly #documents = new Map<DocumentId, number>();
  readonly #texts = new Map<string, number>();
  readonly #wordings = new Map<string, number>();

  /** Reads all documents, or those that match; with `near` also what the model knows of them. */
  static async read<M extends Metadata>(
    index: SemanticIndex<M>,
    where: WhereOf<M> | undefined,
    { near, signal, onProgress }: LongWorkOptions & { readonly near: boolean },
  ): Promise<DistinctTexts> {
    const texts = new DistinctTexts();
    const slice = new TimeSlice();
    const total = await index.count({ where });
    let after: string | undefined;
    do {
      signal?.throwIfAborted();
      const page = await index.listDocuments({ where, after, limit: documentsPerPage });
      const known = near ? await index.knownWords(page.documents.map(({ text }) => text)) : [];
      for (const [place, { id, text }] of page.documents.entries()) {
        texts.add(id, text, known[place]);
        if (slice.due()) await slice.yieldIfDue(signal);
      }
      onProgress?.({ stage: 'read', done: texts.ids.length, total });
      after = page.next;
    } while (after !== undefined);
    return texts;
  }

  add(id: DocumentId, text: string, knownWords?: string): void {
    const document = this.ids.length;
    this.ids.push(id);
    this.#documents.set(id, document);
    const name = fingerprint(text);
    const known = this.#texts.get(name);
    if (known !== undefined) {
      this.textOf.push(known);
      this.copies[known] = (this.copies[known] as number) + 1;
      return;
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
  }

  #numberOf(knownWords: string | undefined): number | undefined {
    if (knownWords === undefined || knownWords === '') return knownWords === '' ? -1 : undefined;
    const name = fingerprint(knownWords);
    const number = this.#known.get(name) ?? this.#known.size;
    this.#known.set(name, number);
    return number;
  }

  /** Whether the similarity of the vectors of two texts of different words says that they are near; see `likenessOf`. */
  isDecidedByVectors(a: number, b: number, similarity: number): boolean {
    const [known, other] = [this.knownOf[a], this.knownOf[b]];
    if (known === -1 || other === -1) return false;
    return isDecidedByVectors(known, other, similarity);
  }

  /** The same of a text of this list and one of elsewhere. */
  isDecidedAgainst(text: number, knownWords: string | undefined, similarity: number): boolean {
    if (knownWords === undefined) return isDecidedByVectors(undefined, undefined, similarity);
    if (knownWords === '' || this.knownOf[text] === -1) return false;
    return isDecidedByVectors(this.knownOf[text], this.#known.get(fingerprint(knownWords)) ?? 0, similarity);
  }

  /** The number of a document, or undefined when it was not read. */
  documentOf(id: DocumentId): number | undefined {
    return this.#documents.get(id);
  }

  /** The text of a document, or undefined when it was not read. */
  textOfId(id: DocumentId): number | undefined {
    const document = this.#documents.get(id);
    return document === undefined ? undefined : this.textOf[document];
  }

  /** Id of the first document with a text. */
  idOfText(text: number): DocumentId {
    return this.ids[this.firstOf[text] as number] as DocumentId;
  }

  /** The number of an equal text, or of the first text with the same words, in this list. */
  find(text: string): { text: number; kind: 'exact' | 'normalized' } | undefined {
    const same = this.#texts.get(fingerprint(text));
    if (same !== undefined) return { text: same, kind: 'exact' };
    const wording = this.#wordings.get(fingerprint(normalizedText(text)));
    const [first] = wording === undefined ? [] : (this.textsOf[wording] as number[]);
    return first === undefined ? undefined : { text: first, kind: 'normalized' };
  }
}
