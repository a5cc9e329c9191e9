import type { DistinctTexts } from './distinct-texts.js';
import type { NeighborPairs } from './neighbor-pairs.js';
import type { Representative } from './options.js';

/** Representative of each text (the text itself when it is one), with the value and the similarity of the two. */
export interface TextGroups {
  readonly representativeOf: Int32Array;
  readonly value: Float64Array;
  readonly similarity: Float64Array;
}

type Visit = (neighbor: number, value: number, similarity: number) => void;

const stepsPerTurn = 4096;

/** Adjacency lists of the pairs at or above a threshold, in both directions. */
class Adjacency {
  readonly #starts: Int32Array;
  readonly #neighbors: Int32Array;
  readonly #value: Float64Array;
  readonly #similarity: Float64Array;

  private constructor(starts: Int32Array, entries: number) {
    this.#starts = starts;
    this.#neighbors = new Int32Array(entries);
    this.#value = new Float64Array(entries);
    this.#similarity = new Float64Array(entries);
  }

  static *of(pairs: NeighborPairs, threshold: number): Generator<void, Adjacency> {
    const starts = new Int32Array(pairs.texts + 1);
    for (let pair = 0; pair < pairs.length; pair++) {
      if (pair % stepsPerTurn === 0) yield;
      if (pairs.value(pair) < threshold) continue;
      for (const text of [pairs.from(pair), pairs.to(pair)]) starts[text + 1] = (starts[text + 1] as number) + 1;
    }
    for (let text = 0; text < pairs.texts; text++) {
      starts[text + 1] = (starts[text + 1] as number) + (starts[text] as number);
    }
    const adjacency = new Adjacency(starts, starts[pairs.texts] as number);
    const filled = starts.slice();
    for (let pair = 0; pair < pairs.length; pair++) {
      if (pair % stepsPerTurn === 0) yield;
      const value = pairs.value(pair);
      if (value < threshold) continue;
      const [from, to, similarity] = [pairs.from(pair), pairs.to(pair), pairs.similarity(pair)];
      adjacency.#set(filled, from, to, value, similarity);
      adjacency.#set(filled, to, from, value, similarity);
    }
    return adjacency;
  }

  #set(filled: Int32Array, text: number, neighbor: number, value: number, similarity: number): void {
    const place = filled[text] as number;
    filled[text] = place + 1;
    this.#neighbors[place] = neighbor;
    this.#value[place] = value;
    this.#similarity[place] = similarity;
  }

  has(text: number): boolean {
    return (this.#starts[text + 1] as number) > (this.#starts[text] as number);
  }

  each(text: number, visit: Visit): void {
    const end = this.#starts[text + 1] as number;
    for (let place = this.#starts[text] as number; place < end; place++) {
      visit(this.#neighbors[place] as number, this.#value[place] as number, this.#similarity[place] as number);
    }
  }
}

/**
 * Groups texts around representatives. In the order that `representative` sets, a text becomes a representative unless it is
 * a duplicate of an earlier one; every other text joins the representative of the highest value. So the value of each member and
 * its representative reaches the threshold, groups do not chain, and no two representatives are duplicates as far as pairs were
 * searched. Texts with the same words are. Yields regularly, so that the caller can yield to the event loop.
 */
export function* groupTexts(
  texts: DistinctTexts,
  pairs: NeighborPairs,
  threshold: number,
  representative: Representative,
): Generator<void, TextGroups> {
  const adjacency = yield* Adjacency.of(pairs, threshold);
  const count = texts.firstOf.length;
  const alike = (text: number, visit: Visit): void => {
    for (const other of texts.textsOf[texts.wordingOf[text] as number] as number[])
      if (other !== text) visit(other, 1, 1);
    adjacency.each(text, visit);
  };
  const grouped: number[] = [];
  for (let text = 0; text < count; text++) {
    if (text % stepsPerTurn === 0) yield;
    const wording = texts.textsOf[texts.wordingOf[text] as number] as number[];
    if (wording.length > 1 || adjacency.has(text)) grouped.push(text);
  }
  const order = representative === 'first' ? grouped : ranked(grouped, texts, representative, alike);
  const representativeOf = Int32Array.from({ length: count }, (_, text) => text);
  const value = new Float64Array(count).fill(1);
  const similarity = new Float64Array(count).fill(1);
  const covered = new Uint8Array(count);
  const stands = new Uint8Array(count);
  let step = 0;
  for (const text of order) {
    if (step++ % stepsPerTurn === 0) yield;
    if (covered[text] === 1) continue;
    stands[text] = 1;
    alike(text, (neighbor) => {
      covered[neighbor] = 1;
    });
  }
  for (const text of grouped) {
    if (step++ % stepsPerTurn === 0) yield;
    if (stands[text] === 1) continue;
    let best = Number.NEGATIVE_INFINITY;
    alike(text, (neighbor, own, near) => {
      if (stands[neighbor] === 0 || own <= best) return;
      best = own;
      representativeOf[text] = neighbor;
      similarity[text] = near;
    });
    value[text] = best;
  }
  return { representativeOf, value, similarity };
}

/** Sorts texts by their priority as representatives; ties keep the order of the index. */
function ranked(
  grouped: readonly number[],
  texts: DistinctTexts,
  representative: 'longest' | 'central',
  alike: (text: number, visit: Visit) => void,
): number[] {
  if (representative === 'longest') {
    return [...grouped].sort((a, b) => (texts.lengths[b] as number) - (texts.lengths[a] as number) || a - b);
  }
  const weights = new Float64Array(texts.firstOf.length);
  const seenBy = new Int32Array(texts.firstOf.length).fill(-1);
  for (const text of grouped) {
    let weight = (texts.copies[text] as number) - 1;
    alike(text, (neighbor, value) => {
      if (seenBy[neighbor] === text) return;
      seenBy[neighbor] = text;
      weight += value * (texts.copies[neighbor] as number);
    });
    weights[text] = weight;
  }
  return [...grouped].sort((a, b) => (weights[b] as number) - (weights[a] as number) || a - b);
}
