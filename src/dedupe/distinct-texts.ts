import { createHash } from 'node:crypto';
import { normalizedText } from '../search/normalized-text.js';
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
  readonly #documents = new Map<DocumentId, number>();
  readonly #texts = new Map<string, number>();
  readonly #wordings = new Map<string, number>();

  /** Reads all documents, or those that match. */
  static async read<M extends Metadata>(
    index: SemanticIndex<M>,
    where: WhereOf<M> | undefined,
    { signal, onProgress }: LongWorkOptions,
  ): Promise<DistinctTexts> {
    const texts = new DistinctTexts();
    const slice = new TimeSlice();
    const total = await index.count({ where });
    let after: string | undefined;
    do {
      signal?.throwIfAborted();
      const page = await index.listDocuments({ where, after, limit: documentsPerPage });
      for (const { id, text } of page.documents) {
        texts.add(id, text);
        if (slice.due()) await slice.breathe(signal);
      }
      onProgress?.({ stage: 'read', done: texts.ids.length, total });
      after = page.next;
    } while (after !== undefined);
    return texts;
  }

  add(id: DocumentId, text: string): void {
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
    const words = fingerprint(normalizedText(text));
    const wording = this.#wordings.get(words) ?? this.textsOf.length;
    if (wording === this.textsOf.length) {
      this.#wordings.set(words, wording);
      this.textsOf.push([]);
    }
    this.wordingOf.push(wording);
    this.textsOf[wording]?.push(number);
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
