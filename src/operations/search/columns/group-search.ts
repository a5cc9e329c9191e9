import type { FieldReading, GroupKey } from '../../../backend/field-reading.js';
import type { RankedGroups } from '../../../backend/read-snapshot.js';
import type { Ranked } from '../../../ranking/ranked.js';

/** The best documents of a group, best first. */
export interface RankedGroup<R extends Ranked = Ranked> {
  /** Undefined for a document without a value, which is a group of its own. */
  readonly key: GroupKey | undefined;
  readonly ranked: R[];
}

/** A search for documents, but not these, in some groups only. Returns the best `k` in order, fewer only where there are not more. */
export type RankSome<R extends Ranked> = (
  k: number,
  without: readonly number[],
  groups: Omit<RankedGroups, 'field'>,
) => Promise<readonly R[]>;

/** What groups are made of. */
export interface GroupRequest {
  /** Number of groups, and of documents of each. */
  readonly groups: number;
  readonly size: number;
  /** Documents of earlier pages: their groups are left out, too. */
  readonly seen: readonly number[];
  /** Documents that are left out themselves. */
  readonly without: readonly number[];
}

/** A group that is being collected. */
interface OpenGroup<R extends Ranked> extends RankedGroup<R> {
  /** Whether no further document of the index belongs to it. */
  isComplete: boolean;
}

/** Documents that are searched for at once: at least, as many take hardly longer than fewer, and at most. */
const [minDepth, maxDepth] = [48, 4096];

/**
 * The best groups, in the order of their best documents: always min(wanted, groups) of them. What was searched once is collapsed;
 * groups that were seen are left out of the next search, so each finds a new group or is the last one. Groups that lack documents
 * are then searched for alone: each of these searches fills a group or is the last one.
 */
export async function findGroups<R extends Ranked>(
  rank: RankSome<R>,
  field: FieldReading,
  { groups: wanted, size, seen, without }: GroupRequest,
): Promise<RankedGroup<R>[]> {
  const left = new Set([...seen, ...without]);
  const known = new Set((await field.groupsOf(seen)).filter((key) => key !== undefined));
  const found: OpenGroup<R>[] = [];
  const all = field.groupCount?.();
  for (let depth = clamp(wanted * size); found.length < wanted; depth = clamp(2 * depth)) {
    const ranked = await rank(depth, [...left], { groups: [...known], only: false });
    const isLast = ranked.length < depth;
    const fresh = new Map<GroupKey, OpenGroup<R>>();
    const keys = await field.groupsOf(ranked.map(({ key }) => key));
    for (const [place, one] of ranked.entries()) {
      const key = keys[place];
      const group = key === undefined ? undefined : fresh.get(key);
      if (group !== undefined) {
        if (group.ranked.length < size) group.ranked.push(one);
        continue;
      }
      const created = { key, ranked: [one], isComplete: isLast || key === undefined };
      found.push(created);
      if (key === undefined) left.add(one.key);
      else {
        fresh.set(key, created);
        known.add(key);
      }
    }
    if (isLast || known.size === all) break;
  }
  // Approximate searches may find a better document later. Equal scores stay in the order in which they were found.
  found.sort((a, b) => (b.ranked[0] as R).score - (a.ranked[0] as R).score);
  const best = found.slice(0, wanted);
  await fill(rank, field, best, size, [...seen, ...without]);
  return best;
}

async function fill<R extends Ranked>(
  rank: RankSome<R>,
  field: FieldReading,
  groups: readonly OpenGroup<R>[],
  size: number,
  without: readonly number[],
): Promise<void> {
  const open = new Map<GroupKey, OpenGroup<R>>();
  for (const group of groups) {
    if (!group.isComplete && group.key !== undefined && group.ranked.length < size) open.set(group.key, group);
  }
  while (open.size > 0) {
    // Among twice as many documents as all groups have room for, one group has all of its.
    const depth = Math.max(2 * open.size * size, minDepth);
    const ranked = await rank(depth, without, { groups: [...open.keys()], only: true });
    const keys = await field.groupsOf(ranked.map(({ key }) => key));
    const members = new Map<GroupKey, R[]>();
    for (const [place, one] of ranked.entries()) {
      const key = keys[place] as GroupKey;
      const list = members.get(key) ?? [];
      if (list.length < size) list.push(one);
      members.set(key, list);
    }
    const isLast = ranked.length < depth;
    for (const [key, group] of [...open]) {
      const list = members.get(key) ?? [];
      if (!isLast && list.length < size) continue;
      if (list.length > group.ranked.length) group.ranked.splice(0, group.ranked.length, ...list);
      open.delete(key);
    }
  }
}

function clamp(depth: number): number {
  return Math.max(minDepth, Math.min(maxDepth, depth));
}
