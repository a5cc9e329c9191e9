/** Hits of the first batch, before any time is known: one where a second could exceed a budget below this; and the most of a later one. */
const [firstBatch, smallBudget, maxBatch] = [2, 100, 16];
/** Characters that every text counts beside its own, for the query; and the most of its own: models cut texts, many after 512 tokens. */
const [charactersOfQuery, maxCharacters] = [100, 2_500];

/**
 * Batches of texts for a model of unknown speed, one after the other, until a budget of time is used; without a budget one of all. None is
 * begun that would exceed it, except the first. How long a batch will take is judged by those before it: models pad the texts of a batch to
 * the longest one, so a batch takes as long as its longest text as often as it has texts. It has at most twice as many as the one before.
 */
export class BatchesWithin<T extends { readonly text: string }> implements Iterable<readonly T[]> {
  readonly #texts: readonly T[];
  readonly #budget: number | undefined;

  /** @param budget milliseconds, from the first batch on. */
  constructor(texts: readonly T[], budget: number | undefined) {
    this.#texts = texts;
    this.#budget = budget;
  }

  *[Symbol.iterator](): Generator<readonly T[]> {
    const end = performance.now() + (this.#budget ?? Number.POSITIVE_INFINITY);
    const pace = new Pace();
    let done = 0;
    let size = this.#first();
    while (size > 0) {
      const batch = this.#texts.slice(done, done + size);
      const began = performance.now();
      yield batch;
      const now = performance.now();
      pace.note(workOf(batch), now - began);
      done += size;
      size = Math.min(2 * size, maxBatch, this.#texts.length - done);
      while (size > 0 && pace.timeOf(workOf(this.#texts.slice(done, done + size))) > end - now) size--;
    }
  }

  #first(): number {
    const { length } = this.#texts;
    if (this.#budget === undefined) return length;
    return Math.min(this.#budget < smallBudget ? 1 : firstBatch, length);
  }
}

/** Milliseconds that a model takes for its work. */
class Pace {
  #first: readonly [work: number, time: number] | undefined;
  #last: readonly [work: number, time: number] = [1, 0];

  note(work: number, time: number): void {
    this.#last = [work, time];
    this.#first ??= this.#last;
  }

  /** In proportion to the last time; less work also costs what a call does, which a line through the first and the last time shows. */
  timeOf(work: number): number {
    const [[firstWork, firstTime], [lastWork, lastTime]] = [this.#first ?? this.#last, this.#last];
    const proportional = (lastTime * work) / lastWork;
    if (work >= lastWork || firstWork >= lastWork) return proportional;
    const line = lastTime - ((lastTime - firstTime) * (lastWork - work)) / (lastWork - firstWork);
    return Math.max(proportional, line);
  }
}

function workOf(batch: readonly { readonly text: string }[]): number {
  const longest = batch.reduce((most, { text }) => Math.max(most, text.length), 0);
  return batch.length * (charactersOfQuery + Math.min(longest, maxCharacters));
}
