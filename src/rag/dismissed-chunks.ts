import { textOf } from '../analysis/fields/stored-text.js';
import { layOut, type TextLayout } from '../analysis/fields/text-layout.js';
import { contentHash } from '../backend/content-hash.js';
import type { DismissedDuplicate } from '../backend/notes.js';
import { checkDocument } from '../operations/checked-document.js';
import { type SemanticIndex, storedNotes } from '../semantic-index.js';
import type { DocumentId, DocumentInput } from '../types.js';

const documentsPerStep = 256;

/**
 * Documents that de-duplication deleted. They are not added again as long as their representative, the document that
 * was kept, exists with the same text.
 */
export class DismissedChunks {
  readonly #index: SemanticIndex;
  readonly #dismissed: ReadonlyMap<DocumentId, DismissedDuplicate>;
  readonly #restore: boolean;
  /** Skipped documents, by representative. */
  readonly #waiting = new Map<DocumentId, DocumentInput[]>();
  readonly #gone = new Set<DocumentId>();
  #leftOut = 0;
  readonly #layout: TextLayout | undefined;

  private constructor(
    index: SemanticIndex,
    dismissed: readonly DismissedDuplicate[],
    restore: boolean,
    layout?: TextLayout,
  ) {
    this.#layout = layout;
    this.#index = index;
    this.#dismissed = new Map(dismissed.map((duplicate) => [duplicate.id, duplicate]));
    this.#restore = restore;
  }

  /** With `restore`, no document is skipped. */
  static async read(index: SemanticIndex, restore = false): Promise<DismissedChunks> {
    const all = await index[storedNotes].dismissed();
    if (restore) return new DismissedChunks(index, all, restore);
    const texts = new Map<DocumentId, string>();
    const representatives = [...new Set(all.flatMap(({ representative }) => representative ?? []))];
    for (let first = 0; first < representatives.length; first += documentsPerStep) {
      for (const document of await index.getDocuments(representatives.slice(first, first + documentsPerStep))) {
        if (document !== undefined) texts.set(document.id, contentHash(document.text));
      }
    }
    const valid = all.filter(
      ({ representative, representativeText }) =>
        representative === null || texts.get(representative) === representativeText,
    );
    const { textFields: weights, textTemplate: template } = valid.length === 0 ? {} : await index.stats();
    const layout = weights === undefined || template === undefined ? undefined : { weights, template };
    return new DismissedChunks(index, valid, restore, layout);
  }

  /** Number of skipped documents. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Whether a document that is not in the index is skipped. */
  leavesOut(document: DocumentInput): boolean {
    const dismissed = document.id === undefined ? undefined : this.#dismissed.get(document.id);
    if (this.#restore || dismissed === undefined || dismissed.text !== this.#hashOf(document)) return false;
    const { representative } = dismissed;
    if (representative !== null) {
      if (this.#gone.has(representative)) return false;
      const waiting = this.#waiting.get(representative);
      if (waiting === undefined) this.#waiting.set(representative, [document]);
      else waiting.push(document);
    }
    this.#leftOut++;
    return true;
  }

  #hashOf({ text, textFields }: DocumentInput): string {
    const fields = textFields ?? text;
    return contentHash(
      typeof fields === 'string' ? fields : textOf(layOut(fields, this.#layout, 'the document', true)),
    );
  }

  /** The documents to add: without skipped ones, but with those that are already in the index. */
  async *without(documents: AsyncIterable<DocumentInput>): AsyncGenerator<DocumentInput> {
    for await (const document of documents) {
      if (this.#dismissed.size > 0 && !this.#restore) {
        const named =
          document.id === undefined ? { ...document, id: checkDocument(document, 0, this.#layout).id } : document;
        const dismissed = this.#dismissed.has(named.id as DocumentId);
        if (
          dismissed &&
          (await this.#index.getDocument(named.id as DocumentId)) === undefined &&
          this.leavesOut(named)
        ) {
          continue;
        }
      }
      yield document;
    }
  }

  /** Documents that were skipped because of these representatives, which are being deleted. */
  withoutRepresentatives(deleted: readonly DocumentId[]): DocumentInput[] {
    if (this.#dismissed.size === 0) return [];
    return deleted.flatMap((id) => {
      this.#gone.add(id);
      const waiting = this.#waiting.get(id) ?? [];
      this.#waiting.delete(id);
      this.#leftOut -= waiting.length;
      return waiting;
    });
  }

  /** Removes the records of documents that are in the index again. */
  async restore(added: readonly DocumentInput[]): Promise<void> {
    const ids = added.flatMap(({ id }) => (id !== undefined && this.#dismissed.has(id) ? [id] : []));
    if (ids.length > 0) await this.#index[storedNotes].restore(ids);
  }
}
