import type { MergeKind } from '../../crash-points.js';

/** What the planner knows of a segment. */
export interface SegmentFacts {
  readonly segment: number;
  readonly firstKey: number;
  readonly lastKey: number;
  readonly items: number;
  /** Items whose document is gone. */
  readonly dead: number;
  /** A file of it is missing or wrong; its documents are searched without that. */
  readonly damaged: boolean;
}

/** What the planner knows of the documents that have no segment yet. */
export interface TailFacts {
  readonly items: number;
  readonly lastKey: number;
}

/** When background work begins. */
export interface PlannerOptions {
  /** Documents in the tail that are worth a forest. */
  readonly sealAt: number;
  /** So many neighbouring segments of about one size become one. Also the ratio between the sizes. */
  readonly mergeFactor: number;
  /** Share of dead items that is worth writing a segment anew. */
  readonly deadShare: number;
}

/** Write one segment for the documents with firstKey <= key <= lastKey in place of others. */
export interface MergeAction {
  readonly kind: MergeKind;
  readonly firstKey: number;
  readonly lastKey: number;
  readonly replaces: readonly number[];
}

/**
 * The most urgent thing to do in the background, or undefined when all is well. Segments are given in the order of their
 * keys. A pure function: it sees figures, not files.
 *
 * Tiers grow geometrically, as in a log-structured merge tree (O'Neil et al., 1996): a document is written
 * O(log n) times, and there are at most (mergeFactor - 1) segments per tier.
 */
export function nextStep(
  segments: readonly SegmentFacts[],
  tail: TailFacts,
  options: PlannerOptions,
): MergeAction | undefined {
  const damaged = segments.find((segment) => segment.damaged);
  if (damaged !== undefined) return rewrite('heal', [damaged]);
  if (tail.items >= options.sealAt) {
    return { kind: 'seal', firstKey: sealedThrough(segments) + 1, lastKey: tail.lastKey, replaces: [] };
  }
  const wasteful = segments.find((segment) => segment.dead > segment.items * options.deadShare);
  if (wasteful !== undefined) return rewrite('compact', [wasteful]);
  const run = mergeableRun(segments, options);
  return run === undefined ? undefined : rewrite('merge', run);
}

/** One segment for everything there is; undefined when that is so already and nothing in it is dead. */
export function buildAllStep(segments: readonly SegmentFacts[], tail: TailFacts): MergeAction | undefined {
  const [only] = segments;
  if (only === undefined && tail.items === 0) return undefined;
  if (segments.length === 1 && tail.items === 0 && only?.dead === 0 && !only.damaged) return undefined;
  return {
    kind: 'build',
    firstKey: 1,
    lastKey: Math.max(tail.lastKey, sealedThrough(segments)),
    replaces: segments.map((segment) => segment.segment),
  };
}

/** The first segment with dead items, written anew; undefined when there is none. */
export function compactStep(segments: readonly SegmentFacts[]): MergeAction | undefined {
  const first = segments.find(({ dead, damaged }) => dead > 0 || damaged);
  return first === undefined ? undefined : rewrite('compact', [first]);
}

/** Writes a segment anew whatever its state. */
export function rebuildStep(segment: SegmentFacts): MergeAction {
  return rewrite('rebuild', [segment]);
}

function sealedThrough(segments: readonly SegmentFacts[]): number {
  return segments.at(-1)?.lastKey ?? 0;
}

function rewrite(kind: MergeAction['kind'], run: readonly SegmentFacts[]): MergeAction {
  const first = run[0] as SegmentFacts;
  const last = run[run.length - 1] as SegmentFacts;
  return { kind, firstKey: first.firstKey, lastKey: last.lastKey, replaces: run.map((segment) => segment.segment) };
}

/** The first run of `mergeFactor` neighbours that belong to one tier; smaller tiers first, as they are cheaper. */
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
    // Small ones between large ones go along with them, or they would stay for ever.
    const together = run.filter((segment) => tierOf(segment) === tier).length >= options.mergeFactor - 1;
    if (together && (best === undefined || tier < best.tier)) best = { tier, run };
  }
  return best?.run;
}
