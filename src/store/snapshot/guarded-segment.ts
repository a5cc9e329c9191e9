import { addItem, type Bitset, createBitset, hasItem } from '../../vectors/bitset.js';
import { itemOf, keyAt, type SortedKeys } from '../catalog/sorted-keys.js';
import { RefCounted, type SearchableSegment, type SegmentNeighbors, type SegmentSearch } from './searchable-segment.js';

/** How the files behind a part are looked after. */
export interface SegmentGuard {
  /** Whether the mapped files have changed since they were opened. */
  readonly hasChanged: () => boolean;
  /** Whether the files have the bytes that were published. Reads all of them. */
  readonly isSound: (signal?: AbortSignal) => Promise<boolean>;
  /** Whether `isSound` is asked before the first search. */
  readonly checkFirst: boolean;
  /** Opens the segment again, without what is damaged, and reports that. */
  readonly reopen: () => Promise<SearchableSegment>;
}

/**
 * A part whose answers never come from damaged files. After each search it is seen whether the mapped files were changed
 * meanwhile; if so, the segment is opened again, and the search is done again there. Items keep their numbers.
 */
export function guardPart(part: SearchableSegment, guard: SegmentGuard): SearchableSegment {
  let successor: Promise<SearchableSegment> | undefined;
  let firstCheck: Promise<void> | undefined;

  const replace = (): Promise<SearchableSegment> => {
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

/** Searches a part that holds some of the keys, and answers with the items that these keys have in the other one. */
async function searchInstead(
  keys: SortedKeys,
  part: SearchableSegment,
  request: SegmentSearch,
): Promise<SegmentNeighbors> {
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
