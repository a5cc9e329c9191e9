import type { DocumentId, DocumentInput, Metadata, Where } from '../../../src/types.js';

/** A document as the model holds it. */
export interface ModelDocument {
  readonly id: DocumentId;
  readonly text: string;
  readonly metadata: Metadata;
  readonly vector: Float32Array;
  /** Order in which contents arrived, as in `listDocuments`. */
  readonly order: number;
}

/** The index as a map: what SemanticIndex promises, written down without any cleverness. */
export class ModelIndex {
  readonly #documents = new Map<DocumentId, ModelDocument>();
  #order = 0;

  /** Oldest content first. */
  get inOrder(): ModelDocument[] {
    return this.all.sort((a, b) => a.order - b.order);
  }

  get all(): ModelDocument[] {
    return [...this.#documents.values()];
  }

  get(id: DocumentId): ModelDocument | undefined {
    return this.#documents.get(id);
  }

  get size(): number {
    return this.#documents.size;
  }

  /** `contentOf` names what makes an embedding: a document with the same content keeps its place. */
  add(
    { id, text, metadata = {} }: DocumentInput & { id: DocumentId; text: string },
    vector: Float32Array,
  ): 'added' | 'updated' | 'unchanged' {
    const known = this.#documents.get(id);
    const sameContent = known?.text === text && vectorsEqual(known.vector, vector);
    const sameMetadata = known !== undefined && JSON.stringify(known.metadata) === JSON.stringify(metadata);
    if (sameContent && sameMetadata) return 'unchanged';
    const order = sameContent ? known.order : ++this.#order;
    this.#documents.set(id, { id, text, metadata, vector, order });
    return known === undefined ? 'added' : 'updated';
  }

  delete(id: DocumentId): boolean {
    return this.#documents.delete(id);
  }

  matching(condition: ModelFilter | undefined): ModelDocument[] {
    const all = this.all;
    return condition === undefined ? all : all.filter(({ metadata }) => condition.matches(metadata));
  }
}

/** A filter and what it means. */
export interface ModelFilter {
  readonly where: Where;
  matches(metadata: Metadata): boolean;
}

function vectorsEqual(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, column) => value === b[column]);
}
