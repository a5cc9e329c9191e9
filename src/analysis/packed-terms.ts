import { ByteWriter, maxVarint } from '../byte-writer.js';
import { SemanticIndexError } from '../errors.js';

/**
 * The terms of a batch of documents in one piece of memory, which the kernel reads (native/kernel/terms/FORMAT.md, "Packed
 * terms"): a dictionary of distinct terms, and of each document its key, its length, and its terms with their frequencies.
 */
export type PackedTerms = Uint8Array<ArrayBuffer>;

/** The content of packed terms as rows of a sparse matrix: document `d` has the entries from `starts[d]` to `starts[d + 1]`. */
export interface TermRows {
  /** Distinct terms, ascending by their UTF-8 bytes; every term occurs in a document. */
  readonly dictionary: readonly string[];
  /** Keys of the documents, ascending. */
  readonly keys: ArrayLike<number>;
  /** Number of occurrences of terms in each document. */
  readonly lengths: ArrayLike<number>;
  /** One more than there are documents. */
  readonly starts: ArrayLike<number>;
  /** Of each entry, its term as a place in the dictionary; ascending within a document. */
  readonly terms: ArrayLike<number>;
  readonly frequencies: ArrayLike<number>;
}

const version = 1;

/** Encodes the terms of a batch. Keys are stored relative to the first one. */
export function packTerms({ dictionary, keys, lengths, starts, terms, frequencies }: TermRows): PackedTerms {
  const writer = new ByteWriter(64 + 12 * dictionary.length + 3 * terms.length + 8 * keys.length);
  writer.varint(version);
  writer.varint(keys.length);
  writer.varint(dictionary.length);
  for (const term of dictionary) writer.string(term);
  let previousKey = keys[0] ?? 0;
  for (let document = 0; document < keys.length; document++) {
    const [start, end] = [starts[document] as number, starts[document + 1] as number];
    const key = keys[document] as number;
    writer.varint(key - previousKey);
    previousKey = key;
    writer.varint(lengths[document] as number);
    writer.varint(end - start);
    let previousTerm = 0;
    for (let entry = start; entry < end; entry++) {
      const term = terms[entry] as number;
      writer.varint(term - previousTerm);
      writer.varint(frequencies[entry] as number);
      previousTerm = term;
    }
  }
  return writer.take();
}

/**
 * Decodes packed terms; `firstKey` is the key of the first document.
 *
 * @throws CORRUPT when the bytes end early, go on, or contradict themselves.
 */
export function unpackTerms(bytes: Uint8Array, firstKey = 0): TermRows {
  const reader = new VarintReader(bytes);
  if (reader.varint() !== version) throw malformed('an unknown version');
  const documents = reader.count();
  const size = reader.count();
  const dictionary: string[] = [];
  for (let term = 0; term < size; term++) dictionary.push(reader.text());
  const [keys, lengths, starts]: [number[], number[], number[]] = [[], [], [0]];
  const [terms, frequencies]: [number[], number[]] = [[], []];
  let key = firstKey;
  for (let document = 0; document < documents; document++) {
    key += reader.varint();
    keys.push(key);
    lengths.push(reader.varint());
    const count = reader.count();
    let term = 0;
    for (let entry = 0; entry < count; entry++) {
      const gap = reader.varint();
      if (gap === 0 && entry > 0) throw malformed('the same term twice in a document');
      term += gap;
      if (term >= size) throw malformed('a term that its dictionary does not have');
      terms.push(term);
      frequencies.push(reader.varint());
    }
    starts.push(terms.length);
  }
  if (!reader.atEnd) throw malformed('more bytes than documents');
  return { dictionary, keys, lengths, starts, terms, frequencies };
}

/** The packed terms of some documents of a batch, by their place in it, with consecutive keys. */
export function selectPackedTerms(packed: Uint8Array, isSelected: (document: number) => boolean): PackedTerms {
  const rows = unpackTerms(packed);
  const selected = Array.from({ length: rows.keys.length }, (_, document) => document).filter(isSelected);
  const used = new Uint8Array(rows.dictionary.length);
  for (const document of selected) {
    for (let entry = rows.starts[document] as number; entry < (rows.starts[document + 1] as number); entry++) {
      used[rows.terms[entry] as number] = 1;
    }
  }
  const places = new Uint32Array(rows.dictionary.length);
  const dictionary = rows.dictionary.filter((_, term) => used[term] === 1);
  for (let term = 0, place = 0; term < used.length; term++) if (used[term] === 1) places[term] = place++;
  const [terms, frequencies, starts]: [number[], number[], number[]] = [[], [], [0]];
  for (const document of selected) {
    for (let entry = rows.starts[document] as number; entry < (rows.starts[document + 1] as number); entry++) {
      terms.push(places[rows.terms[entry] as number] as number);
      frequencies.push(rows.frequencies[entry] as number);
    }
    starts.push(terms.length);
  }
  return packTerms({
    dictionary,
    keys: selected.map((_, place) => place),
    lengths: selected.map((document) => rows.lengths[document] as number),
    starts,
    terms,
    frequencies,
  });
}

class VarintReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  varint(): number {
    let [value, scale] = [0, 1];
    for (let length = 0; length < maxVarint; length++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw malformed('an early end');
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte >= 0x80) continue;
      if (!Number.isSafeInteger(value)) break;
      return value;
    }
    throw malformed('a number that is too large');
  }

  /** A number of things that follow, of at least a byte each. */
  count(): number {
    const count = this.varint();
    if (count > this.#bytes.length - this.#at) throw malformed('an early end');
    return count;
  }

  text(): string {
    const size = this.count();
    this.#at += size;
    return this.#bytes.toString('utf8', this.#at - size, this.#at);
  }
}

function malformed(what: string): SemanticIndexError {
  return new SemanticIndexError('CORRUPT', `Packed terms have ${what}`);
}
