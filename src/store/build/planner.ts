import type { MergeKind } from '../../crash-points.js';

/** A segment, as the planner sees it. */
export interface SegmentFacts {
  readonly segment: number;
  readonly firstKey: number;
  readonly lastKey: number;
  readonly items: number;
  /** Items whose document was deleted. */
  readonly dead: number;
  /** A file of it is missing or wrong; its documents are searched without the file. */
  readonly damaged: boolean;
  /** It has no terms file: its texts are analyzed when they are searched. */
  readonly termsMissing: boolean;
  /** It has no columns file: its metadata is read from the catalog when it is filtered. */
  readonly columnsMissing: boolean;
}

/** The documents that no segment has yet. */
export interface TailFacts {
  readonly items: number;
  readonly lastKey: number;
}

/** Thresholds of background work. */
export interface PlannerOptions {
  /** Documents in the tail from which on it becomes a segment. */
  readonly sealAt: number;
  /** Number of neighbouring segments of similar size that are merged; also the size ratio of two tiers. */
  readonly mergeFactor: number;
  /** Share of deleted items above which a segment is rewritten. */
  readonly deadShare: number;
}

/** Write one segment for the documents with firstKey <= key <= lastKey, in place of others. */
export interface MergeAction {
  readonly kind: MergeKind;
  readonly firstKey: number;
  readonly lastKey: number;
  readonly replaces: readonly number[];
}

/** Write the missing terms file and columns file of a segment. */
export interface AnalyzeAction {
  readonly kind: 'analyze';
  readonly segment: number;
  readonly terms: boolean;
  readonly columns: boolean;
}

/**
 * The most urgent action, or undefined when there is none. Segments are passed in the order of their keys. A pure
 * function of figures.
 *
 * Tiers grow geometrically, as in a log-structured merge tree (O'Neil et al., 1996): a document is written
 * O(log n) times, and there are at most (mergeFactor - 1) segments per tier.
 */
export function nextAction(
  segments: readonly SegmentFacts[],
  tail: TailFacts,
  options: PlannerOptions,
): MergeAction | AnalyzeAction | undefined {
  const damaged = segments.find((segment) => segment.damaged);
  if (damaged !== undefined) return rewrite('repair', [damaged]);
  if (tail.items >= options.sealAt) return sealAction(segments, tail);
  const analysis = segments.map(analyzeAction).find((action) => action !== undefined);
  if (analysis !== undefined) return analysis;
  const wasteful = segments.find((segment) => segment.dead > segment.items * options.deadShare);
  if (wasteful !== undefined) return rewrite('compact', [wasteful]);
  const run = mergeableRun(segments, options);
  return run === undefined ? undefined : rewrite('merge', run);
}

/** A segment for the tail; undefined when it is empty. */
export function sealAction(segments: readonly SegmentFacts[], tail: TailFacts): MergeAction | undefined {
  if (tail.items === 0) return undefined;
  return { kind: 'seal', firstKey: sealedThrough(segments) + 1, lastKey: tail.lastKey, replaces: [] };
}

/** Merged by `optimize`, whatever their tiers: segments that together have at most so many times `sealAt` documents. */
const maxJoined = 8;

/**
 * Merges all segments of a small index: a search pays for each segment that it looks into. Undefined when there is nothing to merge,
 * or when merging would take long.
 */
export function joinAction(segments: readonly SegmentFacts[], { sealAt }: PlannerOptions): MergeAction | undefined {
  const items = segments.reduce((sum, segment) => sum + segment.items - segment.dead, 0);
  return segments.length > 1 && items <= maxJoined * sealAt ? rewrite('merge', segments) : undefined;
}

/** One segment for all documents; undefined when the index has just that, without deleted items. */
export function buildAllAction(
  segments: readonly SegmentFacts[],
  tail: TailFacts,
): MergeAction | AnalyzeAction | undefined {
  const [only] = segments;
  if (only === undefined && tail.items === 0) return undefined;
  if (segments.length === 1 && tail.items === 0 && only?.dead === 0 && !only.damaged) {
    return analyzeAction(only);
  }
  return {
    kind: 'build',
    firstKey: 1,
    lastKey: Math.max(tail.lastKey, sealedThrough(segments)),
    replaces: segments.map((segment) => segment.segment),
  };
}

/** Rewrites the first segment with deleted items; undefined when there is none. */
export function compactAction(segments: readonly SegmentFacts[]): MergeAction | undefined {
  const first = segments.find(({ dead, damaged }) => dead > 0 || damaged);
  return first === undefined ? undefined : rewrite('compact', [first]);
}

/** Rewrites a segment whatever its state. */
export function rebuildAction(segment: SegmentFacts): MergeAction {
  return rewrite('rebuild', [segment]);
}

function analyzeAction({ segment, termsMissing, columnsMissing }: SegmentFacts): AnalyzeAction | undefined {
  if (!termsMissing && !columnsMissing) return undefined;
  return { kind: 'analyze', segment, terms: termsMissing, columns: columnsMissing };
}

function sealedThrough(segments: readonly SegmentFacts[]): number {
  return segments.at(-1)?.lastKey ?? 0;
}

function rewrite(kind: MergeAction['kind'], run: readonly SegmentFacts[]): MergeAction {
  const first = run[0] as SegmentFacts;
  const last = run[run.length - 1] as SegmentFacts;
  return { kind, firstKey: first.firstKey, lastKey: last.lastKey, replaces: run.map((segment) => segment.segment) };
}

/** The first run of `mergeFactor` neighbours of one tier; smaller tiers first, as they are cheaper. */
function mergeableRun(segments: readonly SegmentFacts[], options: PlannerOptions): SegmentFacts[] | undefined {
  const tierOf = ({ items, dead }: SegmentFacts): number =>
    Math.max(
      0,
      Math.floor(Math.log(Math.max(1, items - dead) / options.sealAt) / Math.log(options.mergeFactor) + 1e-9),
    );
  let best: { tier: number; run: SegmentFacts[] } | undefined;
  for (let start = 0; start + options.mergeFactor <= segments.length; start++) {
    const run = segments.slice(start, start + options.mergeFactor);
    const tier = Math.max(...run.map(tierOf));
    // A small segment between large ones is merged with them, or it would never be merged.
    const together = run.filter((segment) => tierOf(segment) === tier).length >= options.mergeFactor - 1;
    if (together && (best === undefined || tier < best.tier)) best = { tier, run };
  }
  return best?.run;
}
