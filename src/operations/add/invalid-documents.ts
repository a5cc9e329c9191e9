import { SemanticIndexError } from '../../errors.js';
import type { ResolvedAddOptions } from '../../options.js';
import type { DocumentId, DocumentInput, InvalidDocument } from '../../types.js';
import { type CheckedDocument, nameOf } from '../checked-document.js';

/** The documents of an add that cannot be added: the first one ends the call, or all are listed. */
export class InvalidDocuments {
  readonly found: InvalidDocument[] = [];
  readonly #onInvalid: ResolvedAddOptions['onInvalid'];

  constructor(onInvalid: ResolvedAddOptions['onInvalid']) {
    this.#onInvalid = onInvalid;
  }

  /** A document that did not pass the checks. @throws `error`, unless invalid documents are skipped. */
  reject(input: string | DocumentInput, position: number, error: unknown): void {
    if (this.#onInvalid === 'error' || !SemanticIndexError.is(error)) throw error;
    const id: unknown = (input as { id?: unknown } | null | undefined)?.id;
    this.#list(position, typeof id === 'string' || typeof id === 'number' ? id : undefined, error);
  }

  /** A document whose text the provider refused with `error`, if it did. @throws that error, with the document's name. */
  refuse({ position, id, named }: CheckedDocument, error: SemanticIndexError | undefined): void {
    if (error === undefined) return;
    const reason = SemanticIndexError.is(error.cause) ? error.cause.message : error.message;
    const { index: _, ...details } = error.details;
    const of = named ? id : undefined;
    const refused = new SemanticIndexError(error.code, `${nameOf(position, of)} was refused: ${reason}`, {
      hint: `${error.hint} With \`onInvalid: 'skip'\` the other documents are added and this one is reported.`,
      cause: error.cause ?? error,
      details: { ...details, position, ...(of === undefined ? {} : { id: of }) },
    });
    if (this.#onInvalid === 'error') throw refused;
    this.#list(position, of, refused);
  }

  #list(position: number, id: DocumentId | undefined, error: SemanticIndexError): void {
    this.found.push({ position, ...(id === undefined ? {} : { id }), error });
  }
}
