/** Hits of the first batch, before any time is known: one where a second could exceed a budget below this; and the most of a later one. */
const [firstBatch, smallBudget, maxBatch] = [2, 100, 16];
/** Characters that every text counts beside its own, for the query; and the most of its own: models cut texts, many after 512 tokens. */
const [charactersOfQuery, maxCharacters] = [100, 2_500];

/** Share of a budget by which a batch may exceed it before it is given up. */
const tolerance = 0.1;
/** How much of an earlier surprise is expected again, from one batch to the next. */
const memory = 0.7;

/**
 * Batches of texts for a model of unknown speed, one after the other, until a budget of time is used; without a budget one of all. None is
 * begun that would exceed it, except the first. How long a batch will take is judged by those before it: models pad the texts of a batch to
 * the longest one, so a batch takes as long as its longest text as often as it has texts. It has at most twice as many as the one before,
 * and so few that one which takes twice as long exceeds the budget by a tenth at most.
 */
export class BatchesWithin<T extends { readonly text: string }> implements Iterable<readonly T[]> {
  readonly #texts: readonly T[];
  readonly #budget: number | undefined;
  #deadline: number | undefined;

  /** @param budget milliseconds, from the first batch on. */
  constructor(texts: readonly T[], budget: number | undefined) {
    this.#texts = texts;
    this.#budget = budget;
  }

  /** When the current batch is to be given up, on the clock of `performance.now()`; undefined for the first one, and without a budget. */
  get deadline(): number | undefined {
    return this.#deadline;
  }

  *[Symbol.iterator](): Generator<readonly T[]> {
    const budget = this.#budget ?? Number.POSITIVE_INFINITY;
    const end = performance.now() + budget;
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
      const left = end - now;
      const cautious = Math.min(left, (left + tolerance * budget) / 2);
      const timeOf = (texts: number): number => pace.timeOf(workOf(this.#texts.slice(done, done + texts)));
      while (size > 1 && timeOf(size) > cautious) size--;
      if (size === 1 && timeOf(1) > left) size = 0;
      if (this.#budget !== undefined) this.#deadline = end + tolerance * budget;
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
  /** How many times as long as was expected a batch may take, as some did lately. */
  #slowness = 1;

  note(work: number, time: number): void {
    if (this.#first !== undefined) {
      const surprise = time / this.#expected(work);
      this.#slowness = Math.max(1, surprise, 1 + memory * (this.#slowness - 1));
    }
    this.#last = [work, time];
    this.#first ??= this.#last;
  }

  timeOf(work: number): number {
    return this.#slowness * this.#expected(work);
  }

  /** In proportion to the last time; less work also costs what a call does, which a line through the first and the last time shows. */
  #expected(work: number): number {
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
