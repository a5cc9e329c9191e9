import { ownCopy } from './own-copy.js';
import { type PackedTerms, packTerms } from './packed-terms.js';
import { stemOf } from './stem.js';
import { TermDictionary } from './term-dictionary.js';
import { termsOf } from './terms.js';

/** Most distinct terms and pieces of text that are remembered. What is packed does not depend on them. */
const maxTerms = 131_072;
const maxPieces = 131_072;
/** Longer pieces are rarely repeated. */
const maxPieceLength = 48;
/** Larger counts of a term in one document make no difference to its score. */
const maxFrequency = 1 << 24;
const maxLength = 0x7fffffff;

/**
 * Analyzes documents as `analyzeDocument` does and packs their terms, batch by batch. Texts are cut at white space, and the terms
 * of pieces are remembered across batches: analyzing a word that occurred before is one lookup. For one thread, for its lifetime.
 */
export class TermPacker {
  #dictionary = new TermDictionary();
  /** The number of the only term of a piece, or the numbers of its terms. */
  readonly #pieces = new Map<string, number | readonly number[]>();
  /** Occurrences of each term in the current document. */
  #counts = new Uint32Array(1024);
  /** Whether a term occurs in the batch. */
  #isUsed = new Uint8Array(1024);
  readonly #used = new GrowingNumbers();
  readonly #keys: number[] = [];
  readonly #lengths: number[] = [];
  readonly #starts: number[] = [0];
  readonly #terms = new GrowingNumbers();
  readonly #frequencies = new GrowingNumbers();

  /** Documents since the last `take`. */
  get documents(): number {
    return this.#keys.length;
  }

  /** Adds a document to the batch. Keys must ascend. */
  add(key: number, text: string): void {
    const terms = this.#terms;
    const first = terms.length;
    let length = 0;
    for (let end = 0, start = 0; end <= text.length; end++) {
      if (end < text.length && !isSpace(text.charCodeAt(end))) continue;
      if (end > start) {
        const numbers = this.#numbersOf(text.slice(start, end));
        if (typeof numbers === 'number') {
          this.#count(numbers);
          length++;
        } else {
          for (const number of numbers) this.#count(number);
          length += numbers.length;
        }
      }
      start = end + 1;
    }
    for (let entry = first; entry < terms.length; entry++) {
      const term = terms.at(entry);
      this.#frequencies.push(Math.min(maxFrequency, this.#counts[term] as number));
      this.#counts[term] = 0;
    }
    this.#keys.push(key);
    this.#lengths.push(Math.min(maxLength, length));
    this.#starts.push(terms.length);
  }

  /** The terms of the documents since the last `take`. */
  take(): PackedTerms {
    const order = this.#dictionary.sorted(this.#used.view());
    const places = new Uint32Array(this.#dictionary.size);
    for (let place = 0; place < order.length; place++) places[order[place] as number] = place;
    const packed = packTerms({
      dictionary: Array.from(order, (number) => this.#dictionary.termOf(number)),
      keys: this.#keys,
      lengths: this.#lengths,
      starts: this.#starts,
      ...this.#sortedEntries(places, order.length),
    });
    this.#clear();
    return packed;
  }

  /** The entries of all documents with the places of their terms in the dictionary, ascending within each document. */
  #sortedEntries(places: Uint32Array, distinct: number): { terms: Uint32Array; frequencies: Uint32Array } {
    const [numbers, counts] = [this.#terms.view(), this.#frequencies.view()];
    // By term, then by document: each step keeps the order of the one before (counting sort).
    const next = new Uint32Array(distinct + 1);
    for (const number of numbers) increment(next, (places[number] as number) + 1);
    for (let place = 1; place <= distinct; place++) next[place] = (next[place] as number) + (next[place - 1] as number);
    const entryAt = new Uint32Array(numbers.length);
    const documentAt = new Uint32Array(numbers.length);
    for (let document = 0; document < this.#keys.length; document++) {
      for (let entry = this.#starts[document] as number; entry < (this.#starts[document + 1] as number); entry++) {
        const at = increment(next, places[numbers[entry] as number] as number);
        entryAt[at] = entry;
        documentAt[at] = document;
      }
    }
    const cursor = Uint32Array.from(this.#starts);
    const terms = new Uint32Array(numbers.length);
    const frequencies = new Uint32Array(numbers.length);
    for (let at = 0; at < numbers.length; at++) {
      const entry = entryAt[at] as number;
      const target = increment(cursor, documentAt[at] as number);
      terms[target] = places[numbers[entry] as number] as number;
      frequencies[target] = counts[entry] as number;
    }
    return { terms, frequencies };
  }

  #clear(): void {
    for (const number of this.#used.view()) this.#isUsed[number] = 0;
    this.#used.clear();
    this.#terms.clear();
    this.#frequencies.clear();
    this.#keys.length = 0;
    this.#lengths.length = 0;
    this.#starts.length = 1;
    if (this.#dictionary.size > maxTerms) {
      this.#dictionary = new TermDictionary();
      this.#pieces.clear();
    }
  }

  #count(number: number): void {
    if (number >= this.#counts.length) this.#grow();
    if (increment(this.#counts, number) > 0) return;
    this.#terms.push(number);
    if (this.#isUsed[number] === 1) return;
    this.#isUsed[number] = 1;
    this.#used.push(number);
  }

  #grow(): void {
    const size = 2 * Math.max(this.#counts.length, this.#dictionary.size);
    const [counts, isUsed] = [new Uint32Array(size), new Uint8Array(size)];
    counts.set(this.#counts);
    isUsed.set(this.#isUsed);
    [this.#counts, this.#isUsed] = [counts, isUsed];
  }

  #numbersOf(piece: string): number | readonly number[] {
    const known = this.#pieces.get(piece);
    if (known !== undefined) return known;
    const numbers = termsOf(piece).map((term) => this.#dictionary.numberOf(stemOf(term)));
    const remembered = numbers.length === 1 ? (numbers[0] as number) : numbers;
    if (piece.length <= maxPieceLength) {
      if (this.#pieces.size >= maxPieces) this.#pieces.clear();
      this.#pieces.set(ownCopy(piece), remembered);
    }
    return remembered;
  }
}

/** Adds one to a number; returns what it was. */
function increment(numbers: Uint32Array, index: number): number {
  const before = numbers[index] as number;
  numbers[index] = before + 1;
  return before;
}

/** Numbers in a typed array that grows. */
class GrowingNumbers {
  #numbers = new Uint32Array(4096);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(number: number): void {
    if (this.#length === this.#numbers.length) {
      const grown = new Uint32Array(2 * this.#length);
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers[this.#length++] = number;
  }

  at(index: number): number {
    return this.#numbers[index] as number;
  }

  /** The numbers so far; valid until the next `push`. */
  view(): Uint32Array {
    return this.#numbers.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }
}

/** ASCII white space, at which no term and no normalization crosses. */
function isSpace(unit: number): boolean {
  return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
}
