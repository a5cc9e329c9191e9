import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildAllAction,
  joinAction,
  nextAction,
  type PlannerOptions,
  type SegmentFacts,
} from '../../../src/store/build/planner.js';

const stored = { damaged: false, termsMissing: false, columnsMissing: false };

const options: PlannerOptions = { sealAt: 100, mergeFactor: 4, deadShare: 0.3 };

/** Lives through a history of adds and deletes, taking every step that the planner wants. */
function simulate(adds: readonly { count: number; dead: number }[]): { segments: SegmentFacts[]; writes: number } {
  let segments: SegmentFacts[] = [];
  let nextSegment = 1;
  let lastKey = 0;
  let tail = 0;
  let writes = 0;
  for (const { count, dead } of adds) {
    lastKey += count;
    tail += count;
    segments = segments.map((segment) => ({ ...segment, dead: Math.min(segment.items, segment.dead + dead) }));
    for (let steps = 0; ; steps++) {
      const step = nextAction(segments, { items: tail, lastKey }, options);
      if (step === undefined) break;
      if (step.kind === 'analyze') throw new Error('every segment has its files');
      expect(steps).toBeLessThan(1_000);
      const replaced = segments.filter((segment) => step.replaces.includes(segment.segment));
      expect(replaced.length).toBe(step.replaces.length);
      const items =
        step.kind === 'seal' ? tail : replaced.reduce((sum, segment) => sum + segment.items - segment.dead, 0);
      if (step.kind === 'seal') tail = 0;
      writes += items;
      const added = {
        segment: nextSegment++,
        firstKey: step.firstKey,
        lastKey: step.lastKey,
        items,
        dead: 0,
        ...stored,
      };
      segments = [...segments.filter((segment) => !replaced.includes(segment)), ...(items > 0 ? [added] : [])].sort(
        (a, b) => a.firstKey - b.firstKey,
      );
    }
  }
  return { segments, writes };
}

describe('nextAction', () => {
  it('leaves a small tail alone and seals a large one behind the last segment', () => {
    expect(nextAction([], { items: 99, lastKey: 99 }, options)).toBeUndefined();
    expect(nextAction([], { items: 100, lastKey: 120 }, options)).toEqual({
      kind: 'seal',
      firstKey: 1,
      lastKey: 120,
      replaces: [],
    });
    const segment = { segment: 1, firstKey: 1, lastKey: 120, items: 100, dead: 0, ...stored };
    expect(nextAction([segment], { items: 100, lastKey: 240 }, options)).toMatchObject({ kind: 'seal', firstKey: 121 });
  });

  it('rewrites a damaged segment first', () => {
    const segment = { segment: 7, firstKey: 5, lastKey: 9, items: 5, dead: 0, ...stored, damaged: true };
    expect(nextAction([segment], { items: 1_000, lastKey: 2_000 }, options)).toEqual({
      kind: 'repair',
      firstKey: 5,
      lastKey: 9,
      replaces: [7],
    });
  });

  it('rewrites a segment with too many deleted items', () => {
    const segment = { segment: 7, firstKey: 1, lastKey: 100, items: 100, dead: 31, ...stored };
    expect(nextAction([segment], { items: 0, lastKey: 100 }, options)).toMatchObject({
      kind: 'compact',
      replaces: [7],
    });
    expect(nextAction([{ ...segment, dead: 30 }], { items: 0, lastKey: 100 }, options)).toBeUndefined();
  });

  it('writes missing terms files after the tail is sealed, and before it rewrites or merges anything', () => {
    const segment = { segment: 7, firstKey: 1, lastKey: 100, items: 100, dead: 31, ...stored, termsMissing: true };
    expect(nextAction([segment], { items: 100, lastKey: 240 }, options)).toMatchObject({ kind: 'seal' });
    expect(nextAction([segment], { items: 99, lastKey: 240 }, options)).toEqual({
      kind: 'analyze',
      segment: 7,
      terms: true,
      columns: false,
    });
  });

  it('terminates, keeps the key ranges apart, and writes each document few times', () => {
    const history = fc.array(
      fc.record({ count: fc.integer({ min: 1, max: 400 }), dead: fc.integer({ min: 0, max: 40 }) }),
      {
        maxLength: 120,
      },
    );
    fc.assert(
      fc.property(history, (adds) => {
        const { segments } = simulate(adds);
        for (let i = 1; i < segments.length; i++) {
          expect(segments[i]!.firstKey).toBeGreaterThan(segments[i - 1]!.lastKey);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('turns a million documents into a few segments at a few writes each', () => {
    const { segments, writes } = simulate(Array.from({ length: 10_000 }, () => ({ count: 100, dead: 0 })));
    expect(segments.length).toBeLessThanOrEqual(24);
    expect(writes / 1_000_000).toBeLessThan(8);
  });
});

describe('buildAllAction', () => {
  it('makes one segment of everything, and nothing when that is so already', () => {
    expect(buildAllAction([], { items: 0, lastKey: 0 })).toBeUndefined();
    const segment = { segment: 3, firstKey: 1, lastKey: 10, items: 10, dead: 0, ...stored };
    expect(buildAllAction([segment], { items: 0, lastKey: 10 })).toBeUndefined();
    const unanalyzed = { ...segment, termsMissing: true, columnsMissing: true };
    expect(buildAllAction([unanalyzed], { items: 0, lastKey: 10 })).toEqual({
      kind: 'analyze',
      segment: 3,
      terms: true,
      columns: true,
    });
    expect(buildAllAction([{ ...segment, dead: 1 }], { items: 0, lastKey: 10 })).toMatchObject({ replaces: [3] });
    expect(buildAllAction([segment], { items: 5, lastKey: 15 })).toEqual({
      kind: 'build',
      firstKey: 1,
      lastKey: 15,
      replaces: [3],
    });
  });
});

describe('joinAction', () => {
  const segments = (...items: number[]): SegmentFacts[] =>
    items.map((count, place) => ({
      segment: place + 1,
      firstKey: 1_000 * place + 1,
      lastKey: 1_000 * (place + 1),
      items: count,
      dead: 0,
      damaged: false,
      termsMissing: false,
      columnsMissing: false,
    }));

  it('merges all segments of a small index', () => {
    expect(joinAction(segments(400, 100), options)).toEqual({
      kind: 'merge',
      firstKey: 1,
      lastKey: 2_000,
      replaces: [1, 2],
    });
  });

  it('leaves a single segment and large ones alone', () => {
    expect(joinAction([], options)).toBeUndefined();
    expect(joinAction(segments(500), options)).toBeUndefined();
    expect(joinAction(segments(700, 101), options)).toBeUndefined();
  });
});
