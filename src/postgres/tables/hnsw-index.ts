/** How an HNSW index has its vectors: as float32, or in half precision. */
export type HnswPrecision = 'vector' | 'halfvec';

/** The numbers of vectors above one and up to another one. */
export interface VectorRange {
  readonly after: number;
  readonly upTo: number;
}

/**
 * An HNSW index of the vectors of a space whose numbers are in a range. Numbers ascend, so later vectors are in no index: adding them
 * costs no more than a row, and searches compare them one by one until an index of their range is built as a whole.
 */
export interface HnswIndex extends VectorRange {
  readonly name: string;
  readonly space: number;
  readonly precision: HnswPrecision;
}

/** An index with the number of its documents. */
export interface CountedIndex extends HnswIndex {
  readonly documents: number;
}

/** The documents whose vectors are in no index. */
export interface HnswTail {
  readonly documents: number;
  /** The greatest number of a vector of any document. */
  readonly last: number;
}

/** What the names of all HNSW indexes begin with. */
export const hnswPrefix = 'vectors_hnsw_';
const pattern = /^vectors_hnsw_(\d+)(?:_(vector|halfvec)_(\d+)_(\d+))?$/;

export function hnswIndexOf(space: number, precision: HnswPrecision, { after, upTo }: VectorRange): HnswIndex {
  return { name: `${hnswPrefix}${space}_${precision}_${after}_${upTo}`, space, precision, after, upTo };
}

/**
 * The index that a name stands for; undefined for other names. Those of earlier versions name the space only: they have all of its
 * vectors, also later ones, in the precision that is a setting.
 */
export function hnswIndexOfName(name: string, setting: HnswPrecision): HnswIndex | undefined {
  const [, space, precision, after, upTo] = pattern.exec(name) ?? [];
  if (space === undefined) return undefined;
  const all = { name, space: Number(space), precision: setting, after: 0, upTo: Number.POSITIVE_INFINITY };
  return precision === undefined
    ? all
    : { ...all, precision: precision as HnswPrecision, after: Number(after), upTo: Number(upTo) };
}

/**
 * The indexes of a space that a search uses: their ranges follow each other from 0 on. The others have a part of one of these.
 * @param preferred name of one that is among them wherever it can be.
 */
export function coverOf(indexes: readonly HnswIndex[], space: number, preferred?: string): HnswIndex[] {
  const cover: HnswIndex[] = [];
  for (let at = 0; ; ) {
    const candidates = indexes
      .filter((index) => index.space === space && index.after === at && index.upTo > at)
      .toSorted((one, other) => other.upTo - one.upTo);
    const next = candidates.find(({ name }) => name === preferred) ?? candidates[0];
    if (next === undefined) return cover;
    cover.push(next);
    at = next.upTo;
  }
}

/** The range of a cover as a condition on a column of numbers, as the predicate of its index has it. */
export function rangeSql(column: string, { after, upTo }: VectorRange): string {
  return Number.isFinite(upTo) ? `${column} > ${after} AND ${column} <= ${upTo}` : 'true';
}

/** The last number that a cover has. */
export function endOf(cover: readonly HnswIndex[]): number {
  return cover.at(-1)?.upTo ?? 0;
}

/** An index is built together with those before it that have at most so many times its documents. */
const joinFactor = 2;
/** Documents, as a multiple of those from which an index is built, up to which `optimize` leaves one index. */
const maxJoined = 8;

/**
 * The range of the index that is due; undefined when there is none. Smaller indexes are built again with what is new, so that their
 * sizes descend geometrically: there are O(log n) of them, and a vector is built into O(log n).
 */
export function dueRange(
  cover: readonly CountedIndex[],
  tail: HnswTail,
  { buildAt }: { readonly buildAt: number },
): VectorRange | undefined {
  if (endOf(cover) === Number.POSITIVE_INFINITY) return wholeOf(tail);
  return tail.documents < buildAt ? undefined : joinedRange(cover, tail);
}

/** The range of the index that `optimize` builds. @param precision the one that all indexes shall have. */
export function optimizedRange(
  cover: readonly CountedIndex[],
  tail: HnswTail,
  { buildAt, full, precision }: { readonly buildAt: number; readonly full: boolean; readonly precision: HnswPrecision },
): VectorRange | undefined {
  const documents = cover.reduce((sum, index) => sum + index.documents, tail.documents);
  if (documents === 0 || (!full && cover.length === 0 && documents < buildAt)) return undefined;
  const isCurrent = cover.every((index) => index.precision === precision && Number.isFinite(index.upTo));
  if (!full && isCurrent && documents > maxJoined * buildAt) {
    return tail.documents === 0 ? undefined : joinedRange(cover, tail);
  }
  return isCurrent && cover.length === 1 && tail.documents === 0 ? undefined : wholeOf(tail);
}

function wholeOf({ last }: HnswTail): VectorRange {
  return { after: 0, upTo: last };
}

function joinedRange(cover: readonly CountedIndex[], { documents, last }: HnswTail): VectorRange {
  let [after, joined] = [endOf(cover), documents];
  for (const index of cover.toReversed()) {
    if (index.documents > joinFactor * joined) break;
    joined += index.documents;
    after = index.after;
  }
  return { after, upTo: last };
}
