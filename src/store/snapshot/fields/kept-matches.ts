import type { FilterProgram } from '../../../columns/filter-program.js';
import type { Bitset } from '../../../vectors/bitset.js';
import type { SnapshotFilter } from '../metadata-columns.js';
import type { PartColumns } from '../part-columns.js';

/** Filters whose items are kept for each part. */
const maxKept = 8;

/** What filters match in one part, at one state of its metadata. */
interface KeptMatches {
  readonly version: number;
  readonly sets: Map<string, Bitset>;
}

const kept = new WeakMap<PartColumns, KeptMatches>();
/** Of programs, which are kept for filters that come again. */
const keys = new WeakMap<FilterProgram, string>();

/** What a filter matches in the metadata that the parts have now; undefined where that is not known. */
export function keptMatches(parts: readonly PartColumns[], filter: SnapshotFilter): Bitset[] | undefined {
  const key = keyOf(filter);
  const sets: Bitset[] = [];
  for (const part of parts) {
    const known = kept.get(part);
    const set = known?.version === part.version ? known.sets.get(key) : undefined;
    if (set === undefined) return undefined;
    sets.push(set);
  }
  return sets;
}

/** Keeps what a filter matches in parts with these versions. */
export function keepMatches(
  parts: readonly PartColumns[],
  versions: readonly number[],
  filter: SnapshotFilter,
  matches: readonly Bitset[],
): void {
  const key = keyOf(filter);
  for (const [place, part] of parts.entries()) {
    const version = versions[place] as number;
    let known = kept.get(part);
    if (known?.version !== version) {
      known = { version, sets: new Map() };
      kept.set(part, known);
    }
    const [oldest] = known.sets.keys();
    if (!known.sets.has(key) && known.sets.size === maxKept && oldest !== undefined) known.sets.delete(oldest);
    known.sets.set(key, matches[place] as Bitset);
  }
}

/** Forgets what was read from files that were not sound. */
export function forgetMatches(parts: readonly PartColumns[]): void {
  for (const part of parts) kept.delete(part);
}

function keyOf({ program }: SnapshotFilter): string {
  let key = keys.get(program);
  if (key === undefined) {
    key = Buffer.from(program).toString('latin1');
    keys.set(program, key);
  }
  return key;
}
