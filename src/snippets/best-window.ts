import type { TimeSlice } from '../time-slice.js';
import type { PlacedMatch, ScannedText, TextUnit } from './text-units.js';

/** Units from `first` to before `end`. */
export interface TextWindow {
  readonly first: number;
  readonly end: number;
  /** What the terms in it are worth: about 1 where all terms occur. */
  readonly score: number;
}

/** Share of the tokens that may be left unused so that a window ends with a sentence. */
const unusedShare = 0.4;
/** Share of the tokens before a match whose sentence began too early. */
const shareBefore = 0.25;
/** Worth of each doubling of the occurrences of a term, of neighboring terms, and of a first and a last sentence that are not cut. */
const [repeated, near, opening] = [0.1, 0.3, 0.06];
/** Units between two terms that count as neighbors. */
const maxDistance = 6;
const windowsPerCheck = 16;

/**
 * The windows of a text that a snippet may show, in the order of the text: one from the beginning of each sentence, and where a
 * sentence is long, one from shortly before each match. Each has at most `maxTokens` tokens (the sum of its units), but at least one
 * unit, and ends with a sentence where that leaves out little.
 *
 * @param weights of the terms; they sum to 1.
 */
export async function windowsOf(
  { units, matches }: ScannedText,
  weights: readonly number[],
  maxTokens: number,
  slice: TimeSlice,
  signal: AbortSignal | undefined,
): Promise<TextWindow[]> {
  const windows: TextWindow[] = [];
  let match = 0;
  const starts = startsOf(units, matches, maxTokens);
  for (let first = starts.indexOf(1); first >= 0; first = starts.indexOf(1, first + 1)) {
    if (windows.length % windowsPerCheck === 0 && slice.due()) await slice.yieldIfDue(signal);
    const end = endOf(units, first, maxTokens);
    while (match < matches.length && (matches[match] as PlacedMatch).unit < first) match++;
    const score = scoreOf(units, matches, match, first, end, weights);
    windows.push({ first, end, score });
  }
  return windows;
}

/** 1 for the units that a window begins with. */
function startsOf(units: readonly TextUnit[], matches: readonly PlacedMatch[], maxTokens: number): Uint8Array {
  const starts = new Uint8Array(units.length);
  for (let place = 0; place < units.length; place++) if ((units[place] as TextUnit).opens) starts[place] = 1;
  for (const { unit } of matches) {
    let tokens = 0;
    let first = unit;
    while (first > 0 && !(units[first] as TextUnit).opens) {
      tokens += (units[first] as TextUnit).tokens;
      if (tokens > maxTokens * shareBefore) break;
      first--;
    }
    starts[first] = 1;
  }
  return starts;
}

/** Where a window ends: after as many units as fit, or before the last sentence that does not fit as a whole. */
function endOf(units: readonly TextUnit[], first: number, maxTokens: number): number {
  let [end, tokens] = [first, 0];
  let [sentence, sentenceTokens] = [first, 0];
  for (; end < units.length; end++) {
    const unit = units[end] as TextUnit;
    if (end > first && tokens + unit.tokens > maxTokens) break;
    if (unit.opens && end > first) [sentence, sentenceTokens] = [end, tokens];
    tokens += unit.tokens;
  }
  if (end === units.length || units[end]?.opens === true) return end;
  return sentenceTokens >= maxTokens * (1 - unusedShare) ? sentence : end;
}

function scoreOf(
  units: readonly TextUnit[],
  matches: readonly PlacedMatch[],
  from: number,
  first: number,
  end: number,
  weights: readonly number[],
): number {
  const occurrences = new Map<number, number>();
  let score = 0;
  let before: PlacedMatch | undefined;
  const pairs = new Set<number>();
  for (let at = from; at < matches.length; at++) {
    const match = matches[at] as PlacedMatch;
    if (match.unit >= end) break;
    if (match.lastUnit >= end) continue;
    occurrences.set(match.term, (occurrences.get(match.term) ?? 0) + 1);
    if (before !== undefined && before.term !== match.term && match.unit - before.unit <= maxDistance) {
      const pair = Math.min(before.term, match.term) * weights.length + Math.max(before.term, match.term);
      const [a, b] = [weights[before.term] as number, weights[match.term] as number];
      if (!pairs.has(pair)) score += (near * Math.min(a, b)) / (1 + match.unit - before.unit);
      pairs.add(pair);
    }
    before = match;
  }
  for (const [term, count] of occurrences) score += (weights[term] as number) * (1 + repeated * Math.log2(count));
  if (before === undefined) return 0;
  if ((units[first] as TextUnit).opens) score += opening;
  // The sentence of the last match is not cut.
  let next = before.unit + 1;
  while (next < end && units[next]?.opens === false) next++;
  return next === units.length || units[next]?.opens === true ? score + opening : score;
}
