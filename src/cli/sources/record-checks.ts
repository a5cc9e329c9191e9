import { defaultTemplate, type TextLayout } from '../../analysis/fields/text-layout.js';
import { type DocumentId, type DocumentInput, SemanticIndexError } from '../../index.js';
import { checkDocument } from '../../operations/checked-document.js';

/** A record that was left out. */
export interface InvalidRecord {
  /** The file and the line. */
  readonly place: string;
  readonly code: string;
  readonly message: string;
}

/** What happens to a record that is not a document. */
export type OnInvalid = 'error' | 'skip';

/**
 * Checks the records of one file before they are added, so that a message names file and line. With `skip` those that fail are
 * left out and listed, else the first one ends the reading.
 */
export class RecordChecks {
  readonly invalid: InvalidRecord[] = [];
  readonly #onInvalid: OnInvalid;
  readonly #dimensions: number | undefined;
  readonly #placeOf = new WeakMap<DocumentInput, string>();
  #places = new Map<DocumentId, string>();
  #first: { readonly length: number; readonly place: string } | undefined;

  /** `dimensions` are those of the index, where it has vectors. */
  constructor(onInvalid: OnInvalid, dimensions: number | undefined) {
    this.#onInvalid = onInvalid;
    this.#dimensions = dimensions;
  }

  /** The same records come once more; what was left out is not listed twice. */
  again(): void {
    this.#places = new Map();
    this.#first = undefined;
    this.invalid.length = 0;
  }

  /** A document, or undefined when it is left out. @throws what is wrong with it, unless such are left out. */
  checked(place: string, make: () => DocumentInput): DocumentInput | undefined {
    try {
      const document = make();
      const { id, named, vector } = checkDocument(document, 0, layoutOf(document), place);
      if (vector !== undefined) this.#checkLength(vector.length, place);
      if (named) this.#checkNew(id, place);
      this.#placeOf.set(document, place);
      return document;
    } catch (error) {
      if (!SemanticIndexError.is(error)) throw error;
      this.refuse(error, place);
      return undefined;
    }
  }

  /** The file and the line that a document was read from. */
  placeOf(document: DocumentInput): string {
    return this.#placeOf.get(document) ?? '';
  }

  /** Lists what is wrong, or throws it. */
  refuse(error: SemanticIndexError, place?: string): void {
    if (this.#onInvalid === 'error') throw error;
    const [, named = ''] = place === undefined ? (/^(.*, line \d+): /.exec(error.message) ?? []) : [];
    this.invalid.push({ place: place ?? named, code: error.code, message: error.message });
  }

  #checkNew(id: DocumentId, place: string): void {
    const before = this.#places.get(id);
    if (before !== undefined) {
      throw new SemanticIndexError('DUPLICATE_ID', `${place}: the id ${JSON.stringify(id)} is that of ${before} too`, {
        hint: 'Each id may occur once in a file; correct it, or leave such records out with --on-invalid skip.',
      });
    }
    this.#places.set(id, place);
  }

  #checkLength(length: number, place: string): void {
    const expected = this.#dimensions ?? this.#first?.length;
    if (expected === undefined) this.#first = { length, place };
    else if (length !== expected) {
      const whose = this.#dimensions === undefined ? `as ${this.#first?.place} has` : 'as the index has';
      throw new SemanticIndexError(
        'DIMENSION_MISMATCH',
        `${place}: expected ${expected} numbers in the vector, ${whose}, got ${length}`,
      );
    }
  }
}

/** A layout that has the fields of a document: whether the index has them is checked when the document is added. */
function layoutOf({ text }: DocumentInput): TextLayout | undefined {
  if (typeof text !== 'object' || text === null) return undefined;
  const weights = Object.fromEntries(Object.keys(text).map((field) => [field, 1]));
  return { weights, template: defaultTemplate(weights) };
}
