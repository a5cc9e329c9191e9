import type { Phrase } from '../analysis/query/phrase.js';
import { placedRunsOf } from '../analysis/query/term-sequence.js';
import { partEnds } from './term-matches.js';

/** Where a phrase occurs. */
export interface PhraseMatch {
  readonly start: number;
  readonly end: number;
}

/** Finds where a phrase occurs in a text, from its first word to its last one. Yields undefined now and then, between small steps. */
export function* phraseMatchesIn(text: string, phrase: Phrase): Generator<PhraseMatch | undefined> {
  for (const may of phrase.mayBeInParts(text)) {
    if (may) {
      yield* matchesFrom(text, phrase);
      return;
    }
    yield undefined;
  }
}

function* matchesFrom(text: string, phrase: Phrase): Generator<PhraseMatch | undefined> {
  let from = 0;
  for (;;) {
    const search = phrase.search();
    const starts: number[] = [];
    let found: PhraseMatch | undefined;
    for (const { run, start, end } of placedRunsOf(text, phrase.language, from)) {
      starts.push(start);
      if (search.add(run)) {
        const first = starts.findLast((start) => phrase.isIn(text.slice(start, end))) ?? start;
        found = shortest(text, phrase, first, end);
        break;
      }
      yield undefined;
    }
    if (found === undefined) return;
    yield found;
    from = found.end;
  }
}

/** A range without what is around the phrase: it ends as early, and then begins as late as possible. */
function shortest(text: string, phrase: Phrase, from: number, to: number): PhraseMatch {
  const ends = partEnds(text.slice(from, to)).map((end) => from + end);
  const end = ends[firstThat(ends.length - 1, (place) => phrase.isIn(text.slice(from, ends[place])))] as number;
  const starts = [from, ...ends.filter((start) => start < end)].reverse();
  const start = starts[firstThat(starts.length - 1, (place) => phrase.isIn(text.slice(starts[place], end)))] as number;
  return { start, end };
}

/** The first place up to `last` for which a condition holds that holds for all behind it, `last` included. */
function firstThat(last: number, holds: (place: number) => boolean): number {
  let [low, high] = [0, last];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
