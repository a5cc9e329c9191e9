import { selectPackedTerms } from '../analysis/packed-terms.js';
import type { Backend } from '../backend/backend.js';
import type { DocumentOutcome, DocumentTerms, IncomingDocument, StoredVector } from '../backend/documents.js';
import { askByNumber, type Placement, placesByShard, settled } from './placement.js';
import type { ShardSpaces } from './shard-spaces.js';

/** A document with the number of its vector in its own shard. */
interface PlacedDocument {
  readonly document: IncomingDocument;
  /** Its place in the batch. */
  readonly place: number;
}

/** Commits each document to its shard, with its terms and its vector. Shards commit at the same time, each by itself. */
export class ShardedCommit {
  readonly #placement: Placement;
  readonly #shards: readonly Backend[];
  readonly #spaces: ShardSpaces;

  constructor(placement: Placement, shards: readonly Backend[], spaces: ShardSpaces) {
    this.#placement = placement;
    this.#shards = shards;
    this.#spaces = spaces;
  }

  /** See `Backend.commit`. */
  async commit(
    documents: readonly IncomingDocument[],
    terms: DocumentTerms | undefined,
  ): Promise<(DocumentOutcome | undefined)[]> {
    const shardOf = this.#placement.ofIds(documents.map(({ id }) => id));
    const numbers = await this.#localNumbers(documents, shardOf);
    const outcomes = new Array<DocumentOutcome | undefined>(documents.length).fill(undefined);
    const places = placesByShard(shardOf, this.#shards.length);
    await settled(
      places.map(async (own, shard) => {
        if (own.length === 0) return;
        const placed = own.map((place) => {
          const document = { ...(documents[place] as IncomingDocument), vector: numbers[place] as number };
          return { document, place };
        });
        const committed = await (this.#shards[shard] as Backend).commit(
          placed.map(({ document }) => document),
          terms && termsOfShard(documents, placed, terms),
        );
        for (const [position, { place }] of placed.entries()) outcomes[place] = committed[position];
      }),
    );
    return outcomes;
  }

  /**
   * The numbers of vectors in the shards of their documents. Documents with the same text may be on different shards: a vector that is on
   * another one is copied.
   */
  async #localNumbers(documents: readonly IncomingDocument[], shardOf: readonly number[]): Promise<number[]> {
    const foreign: number[] = [];
    const numbers = documents.map(({ vector }, place) => {
      if (vector <= 0) return vector;
      if (this.#placement.of(vector) === shardOf[place]) return this.#placement.local(vector);
      foreign.push(place);
      return 0;
    });
    if (foreign.length === 0) return numbers;
    const wanted = foreign.map((place) => (documents[place] as IncomingDocument).vector);
    const vectors = await askByNumber(this.#placement, wanted, (shard, locals) =>
      (this.#shards[shard] as Backend).readVectors(locals),
    );
    for (const [position, place] of foreign.entries()) {
      const stored = vectors[position];
      const document = documents[place] as IncomingDocument;
      // One that is gone stays 0: the document is not committed.
      if (stored !== undefined) {
        const source = this.#placement.of(document.vector);
        numbers[place] = await this.#copied(stored, source, shardOf[place] as number, document);
      }
    }
    return numbers;
  }

  async #copied(
    { space, role, hash, vector }: StoredVector,
    source: number,
    target: number,
    { id }: IncomingDocument,
  ): Promise<number> {
    const there = await this.#spaces.from(source, space, target);
    if (there === 0) return 0;
    const [number = 0] = await (this.#shards[target] as Backend).putVectors(there, role, [hash], [vector], [id]);
    return number;
  }
}

/** The terms of those documents of a shard that have a vector, from those of the batch. */
function termsOfShard(
  documents: readonly IncomingDocument[],
  placed: readonly PlacedDocument[],
  terms: DocumentTerms,
): DocumentTerms {
  const own = new Set(placed.filter(({ document }) => document.vector !== 0).map(({ place }) => place));
  const withVectors = [...documents.keys()].filter((place) => (documents[place] as IncomingDocument).vector !== 0);
  const packed = selectPackedTerms(terms.packed, (position) => own.has(withVectors[position] as number));
  return { ...terms, packed };
}
