import type { Drift, Tuning } from '../../types.js';

/** What is known of a segment that has a forest. */
export interface ForestFacts {
  readonly segment: number;
  readonly items: number;
  /** Items whose document is gone. */
  readonly dead: number;
}

/** Past this share of changed items, what was measured is measured again. */
const maxDrift = 0.2;

/** How much of what is in forests now was not there when recall was measured, and how much of it has gone since. */
export function driftOf(tuning: Tuning, forests: readonly ForestFacts[]): Drift {
  const known = new Set(tuning.segments);
  let [added, gone, total] = [0, 0, 0];
  for (const { segment, items, dead } of forests) {
    total += items;
    if (known.has(segment)) gone += dead;
    else added += items;
  }
  const drift = total === 0 ? 0 : (added + Math.max(0, gone - tuning.dead)) / total;
  return { drift, drifted: drift > maxDrift };
}
