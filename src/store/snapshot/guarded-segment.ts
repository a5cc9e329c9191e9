import { addItem, type Bitset, createBitset, hasItem } from '../../vectors/bitset.js';
import { itemOf, keyAt, type SortedKeys } from '../catalog/sorted-keys.js';
import { RefCounted, type SegmentNeighbors, type SegmentSearch, type VectorSegment } from './searchable-segment.js';

/** Checks of the files behind a segment. */
export interface SegmentGuard {
  /** Whether the mapped files have changed since they were opened. */
  readonly hasChanged: () => boolean;
  /** Whether the files have the bytes that were published. Reads all of them. */
  readonly isSound: (signal?: AbortSignal) => Promise<boolean>;
  /** Whether `isSound` is asked before the first search. */
  readonly checkFirst: boolean;
  /** Opens the segment again, without what is damaged, and reports that. */
  readonly reopen: () => Promise<VectorSegment>;
}

/**
 * A segment whose answers never come from damaged files. After each search it checks whether the mapped files were changed
 * meanwhile; if so, it opens the segment again and repeats the search there. Items keep their numbers.
 */
export function guardSegment(part: VectorSegment, guard: SegmentGuard): VectorSegment {
  let successor: Promise<VectorSegment> | undefined;
  let firstCheck: Promise<void> | undefined;

  const replace = (): Promise<VectorSegment> => {
    successor ??= guard.reopen().catch((error: unknown) => {
      successor = undefined;
      throw error;
    });
    return successor;
  };
  const verify = async (signal?: AbortSignal): Promise<void> => {
    if (successor !== undefined) await (await successor).verify?.(signal);
    else if (!(await guard.isSound(signal))) await replace();
  };
  const search = async (request: SegmentSearch): Promise<SegmentNeighbors> => {
    if (guard.checkFirst) {
      firstCheck ??= verify().catch((error: unknown) => {
        firstCheck = undefined;
        throw error;
      });
      await firstCheck;
    }
    if (successor === undefined) {
      try {
        const found = await part.search(request);
        if (!guard.hasChanged()) return found;
      } catch (error) {
        if (request.signal?.aborted || !guard.hasChanged()) throw error;
      }
    }
    return searchInstead(part.keys, await replace(), request);
  };
  const shared = new RefCounted(() => {
    part.shared.release();
    successor?.then(
      (opened) => opened.shared.release(),
      () => {},
    );
  });
  return { ...part, shared, search, verify };
}

/** Searches a segment that has some of the keys, and returns the items that these keys have in the original one. */
async function searchInstead(keys: SortedKeys, part: VectorSegment, request: SegmentSearch): Promise<SegmentNeighbors> {
  if (part.keys.offsets.length === keys.offsets.length) return part.search(request);
  const count = part.keys.offsets.length;
  const items = Int32Array.from({ length: count }, (_, item) => itemOf(keys, keyAt(part.keys, item)));
  const found = await part.search({ ...request, allowed: translated(items, request.allowed) });
  return { ...found, items: found.items.map((item) => (item < 0 ? item : (items[item] as number))) };
}

function translated(items: Int32Array, allowed: Bitset | undefined): Bitset {
  const bits = createBitset(items.length, false);
  for (const [item, original] of items.entries()) {
    if (original >= 0 && (allowed === undefined || hasItem(allowed, original))) addItem(bits, item);
  }
  return bits;
}
