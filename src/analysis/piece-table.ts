import { ownCopy } from './own-copy.js';

/** Pieces that are remembered at most; then it starts again. What is derived from pieces does not depend on it. */
const capacity = 262_144;
/** Longer pieces are rarely repeated. */
const maxPieceLength = 64;
/** A piece that is not found after so many slots is not remembered: texts made for collisions cost no more than others. */
const maxProbes = 32;
const multiplier = 0x01000193;

/** Kinds of ASCII characters. Others, and control characters, make the run between white space a piece. */
const [whole, space, free, letter, sign, stop] = [0, 1, 2, 3, 4, 5];
const kinds = new Uint8Array(128);
for (const unit of [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20]) kinds[unit] = space;
for (const character of '"\'();<>?![]{}|^`') kinds[character.charCodeAt(0)] = free;
for (const character of '-/@&+#%$*=\\~_') kinds[character.charCodeAt(0)] = sign;
for (const character of '.,:') kinds[character.charCodeAt(0)] = stop;
for (let unit = 0; unit < 128; unit++) if (/[A-Za-z0-9]/.test(String.fromCharCode(unit))) kinds[unit] = letter;

/**
 * Cuts texts into pieces whose terms, and whose tokens, do not depend on the text around them, and numbers the pieces: words, names
 * with their signs, and single characters of punctuation; of a run with other characters than ASCII, all that is between white space.
 * A piece that occurred before is found by its characters, without making a string of it, so that what was derived from it can be
 * remembered by its number.
 */
export class PieceTable {
  /** Twice as many as pieces. In each the number of a piece, or 0 if it is free, and the hash of the piece. */
  readonly #slots = new Int32Array(4 * capacity);
  /** By number; the first ones are the characters of ASCII, as they are numbered. */
  readonly #pieces = Array.from({ length: 128 }, (_, unit) => String.fromCharCode(unit));
  /** Pieces of the last text that are not remembered. */
  readonly #others: string[] = [];
  #found = new Uint32Array(1024);
  #count = 0;
  #generation = 0;

  /** Changes when all numbers become invalid. */
  get generation(): number {
    return this.#generation;
  }

  /** The numbers of the pieces of the last text, in their order, and possibly more; valid until the next `scan`. */
  get found(): Uint32Array {
    return this.#found;
  }

  /** Whether the number means the same piece until the generation changes; otherwise only until the next `scan`. */
  isRemembered(number: number): boolean {
    return number < capacity;
  }

  pieceOf(number: number): string {
    return (number < capacity ? this.#pieces[number] : this.#others[number - capacity]) as string;
  }

  /** Finds the pieces of a text; returns how many there are. */
  scan(text: string): number {
    if (this.#pieces.length > 0.75 * capacity) this.#clear();
    this.#others.length = 0;
    this.#count = 0;
    for (let at = 0; at < text.length; at++) {
      if (kindAt(text, at) !== space) at = this.#scanRun(text, at);
    }
    return this.#count;
  }

  /** Scans what is between white space; returns its end. */
  #scanRun(text: string, first: number): number {
    const countBefore = this.#count;
    // The current word or name, and its end and hash without the stops behind it.
    let start = -1;
    let hash = 0;
    let end = 0;
    let endHash = 0;
    for (let at = first; ; at++) {
      const kind = kindAt(text, at);
      if (kind >= letter) {
        if (start < 0) {
          start = at;
          hash = 0;
          end = at;
        }
        // FNV-1a
        hash = Math.imul(hash ^ text.charCodeAt(at), multiplier);
        if (kind !== stop) {
          end = at + 1;
          endHash = hash;
        }
        continue;
      }
      if (kind === whole) {
        this.#count = countBefore;
        return this.#scanWhole(text, first);
      }
      if (start >= 0) {
        if (end > start) this.#push(this.#numberOf(text, start, end, endHash));
        for (; end < at; end++) this.#push(text.charCodeAt(end));
        start = -1;
      }
      if (kind === space) return at;
      this.#push(text.charCodeAt(at));
    }
  }

  #scanWhole(text: string, start: number): number {
    let end = start;
    let hash = 0;
    for (; kindAt(text, end) !== space; end++) hash = Math.imul(hash ^ text.charCodeAt(end), multiplier);
    this.#push(this.#numberOf(text, start, end, hash));
    return end;
  }

  #push(number: number): void {
    if (this.#count === this.#found.length) {
      const found = new Uint32Array(2 * this.#count);
      found.set(this.#found);
      this.#found = found;
    }
    this.#found[this.#count++] = number;
  }

  #numberOf(text: string, start: number, end: number, hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = (2 * (hash ^ (hash >>> 15))) & mask;
    for (let probes = 0; probes < maxProbes; probes++) {
      const number = this.#slots[slot] as number;
      if (number === 0) return this.#add(text, start, end, hash, slot);
      if (this.#slots[slot + 1] === hash && isAt(text, start, end, this.#pieces[number] as string)) return number;
      slot = (slot + 2) & mask;
    }
    return this.#other(text.slice(start, end));
  }

  #add(text: string, start: number, end: number, hash: number, slot: number): number {
    const number = this.#pieces.length;
    if (end - start > maxPieceLength || number === capacity) return this.#other(text.slice(start, end));
    this.#pieces.push(ownCopy(text.slice(start, end)));
    this.#slots[slot] = number;
    this.#slots[slot + 1] = hash;
    return number;
  }

  #other(piece: string): number {
    return capacity + this.#others.push(piece) - 1;
  }

  #clear(): void {
    this.#slots.fill(0);
    this.#pieces.length = 128;
    this.#generation++;
  }
}

/** The kind of a character; behind the end of the text is space. */
function kindAt(text: string, at: number): number {
  if (at >= text.length) return space;
  const unit = text.charCodeAt(at);
  return unit < 128 ? (kinds[unit] as number) : whole;
}

function isAt(text: string, start: number, end: number, piece: string): boolean {
  if (piece.length !== end - start) return false;
  for (let index = 0; index < piece.length; index++) {
    if (text.charCodeAt(start + index) !== piece.charCodeAt(index)) return false;
  }
  return true;
}
