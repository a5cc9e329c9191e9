import { type PackedTerms, packTerms } from './packed-terms.js';
import { PieceTable } from './piece-table.js';
import { stemOf } from './stem.js';
import { TermDictionary } from './term-dictionary.js';
import { termsOf } from './terms.js';

/** Most distinct terms that are remembered. What is packed does not depend on it. */
const maxTerms = 262_144;
/** Larger counts of a term in one document make no difference to its score. */
const maxFrequency = 1 << 24;
const maxLength = 0x7fffffff;
const plainWord = /^[A-Z]?[a-z]{1,47}$/;

/** The number of the only term of a piece, or the numbers of its terms. */
type TermNumbers = number | readonly number[];

/**
 * Analyzes documents as `analyzeDocument` does and packs their terms, batch by batch. The terms of pieces of text are remembered
 * across batches: analyzing a word that occurred before is one lookup. For one thread, for its lifetime.
 */
export class TermPacker {
  readonly #table: PieceTable;
  #generation = 0;
  #dictionary = new TermDictionary();
  /** By the numbers of the table. */
  readonly #pieces: (TermNumbers | undefined)[] = [];
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
  #length = 0;

  /** @param table may be shared with others that remember what they derived from pieces. */
  constructor(table = new PieceTable()) {
    this.#table = table;
  }

  /** Documents since the last `take`. */
  get documents(): number {
    return this.#keys.length;
  }

  /** Adds a document to the batch. Keys must ascend. */
  add(key: number, text: string): void {
    this.addScanned(key, this.#table.scan(text));
  }

  /** Adds the text that the table has just scanned; `count` is the number of its pieces. */
  addScanned(key: number, count: number): void {
    if (this.#generation !== this.#table.generation) {
      this.#generation = this.#table.generation;
      this.#pieces.length = 0;
    }
    this.#length = 0;
    const { found } = this.#table;
    for (let place = 0; place < count; place++) this.#count(this.#numbersOf(found[place] as number));
    this.#endDocument(key);
  }

  #endDocument(key: number): void {
    const terms = this.#terms;
    for (let entry = this.#frequencies.length; entry < terms.length; entry++) {
      const term = terms.at(entry);
      this.#frequencies.push(Math.min(maxFrequency, this.#counts[term] as number));
      this.#counts[term] = 0;
    }
    this.#keys.push(key);
    this.#lengths.push(Math.min(maxLength, this.#length));
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
      this.#pieces.length = 0;
    }
  }

  #count(numbers: TermNumbers): void {
    if (typeof numbers === 'number') {
      this.#countOne(numbers);
      this.#length++;
    } else {
      for (let place = 0; place < numbers.length; place++) this.#countOne(numbers[place] as number);
      this.#length += numbers.length;
    }
  }

  #countOne(number: number): void {
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

  #numbersOf(piece: number): TermNumbers {
    const known = this.#pieces[piece];
    if (known !== undefined) return known;
    const numbers = this.#analyzed(this.#table.pieceOf(piece));
    if (!this.#table.isRemembered(piece)) return numbers;
    while (this.#pieces.length < piece) this.#pieces.push(undefined);
    this.#pieces[piece] = numbers;
    return numbers;
  }

  #analyzed(piece: string): TermNumbers {
    const terms = plainWord.test(piece) ? [piece.toLowerCase()] : termsOf(piece);
    const numbers = terms.map((term) => this.#dictionary.numberOf(stemOf(term)));
    return numbers.length === 1 ? (numbers[0] as number) : numbers;
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
