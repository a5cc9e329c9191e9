import type { CountTokens } from '../options.js';
import { TimeSlice } from '../time-slice.js';
import { furthestCut } from './chunking/split-parts.js';
import { spaceBetween } from './passages.js';
import { cutPiece, type SourcePiece } from './source-pieces.js';

/** Characters of a line that are counted at once. */
const longLine = 2000;

/** Joins pieces of one source, in their order, into a text with the line ends between them, within a token budget. */
export class PassageText {
  readonly #maxTokens: number;
  readonly #countTokens: CountTokens;
  readonly #signal: AbortSignal | undefined;
  readonly #slice = new TimeSlice();
  readonly #pieces: SourcePiece[] = [];
  readonly #missing: [number, number][] = [];
  #text = '';
  #tokens = 0;
  #next: number | undefined;

  constructor(maxTokens: number, countTokens: CountTokens, signal: AbortSignal | undefined) {
    this.#maxTokens = maxTokens;
    this.#countTokens = countTokens;
    this.#signal = signal;
  }

  get text(): string {
    return this.#text;
  }

  get pieces(): readonly SourcePiece[] {
    return this.#pieces;
  }

  /** Offset at which the text was cut; undefined if everything did fit. */
  get next(): number | undefined {
    return this.#next;
  }

  /** First and last lines that no piece has: their chunks were deleted. */
  get missing(): readonly (readonly [number, number])[] {
    return this.#missing;
  }

  /** Whether a piece fits as a whole. */
  async fits(piece: SourcePiece): Promise<boolean> {
    return (await this.#prefix(piece.text, this.#maxTokens - this.#tokens)).end === piece.text.length;
  }

  /** Counts a piece that is added later. */
  async reserve(piece: SourcePiece): Promise<void> {
    this.#tokens += (await this.#prefix(piece.text, Number.POSITIVE_INFINITY)).tokens;
  }

  /** Adds a piece, or as many of its lines as fit; false if that was not all of it. */
  async add(given: SourcePiece): Promise<boolean> {
    const before = this.#pieces.at(-1);
    let piece = given;
    if (before !== undefined && piece.start < before.end) {
      if (piece.end <= before.end) return true;
      const repeated = before.end - piece.start;
      const lines = piece.text.slice(0, repeated).match(/\r\n|\n|\r/g)?.length ?? 0;
      piece = cutPiece(piece, repeated, piece.text.length, piece.startLine + lines, piece.endLine);
    }
    const between = before === undefined ? (piece.indent ?? '') : spaceBetween(before, piece);
    const free = this.#maxTokens - this.#tokens - (between === '' ? 0 : this.#countTokens(between));
    const { end, tokens } = await this.#prefix(piece.text, free, this.#text === '');
    if (end < piece.text.length) this.#next = piece.start + end;
    if (end === 0) return false;
    if (before !== undefined) this.#note(before, piece);
    this.#tokens = this.#maxTokens - free + tokens;
    // A line end at the cut belongs to neither part.
    const kept = end === piece.text.length ? piece.text : piece.text.slice(0, end).replace(/(?:\r\n|\n|\r)$/, '');
    this.#text += between + kept;
    const lines = Math.min(kept.match(/\r\n|\n|\r/g)?.length ?? 0, piece.endLine - piece.startLine);
    const endLine = end === piece.text.length ? piece.endLine : piece.startLine + lines;
    this.#pieces.push(cutPiece(piece, 0, end, piece.startLine, endLine));
    return end === piece.text.length;
  }

  #note(before: SourcePiece, piece: SourcePiece): void {
    const [first, last] = [before.endLine + 1, piece.startLine - 1];
    if (before.next !== undefined && before.next !== piece.id && last >= first) this.#missing.push([first, last]);
  }

  /** As many lines of a text as fit; of a long line, or where `some` must be taken, as many characters. */
  async #prefix(text: string, maxTokens: number, some = false): Promise<{ end: number; tokens: number }> {
    let [end, tokens] = [0, 0];
    while (end < text.length) {
      const lineEnd = text.indexOf('\n', end);
      const whole = lineEnd < 0 ? text.length : lineEnd + 1;
      const to = whole - end > longLine ? characterEnd(text, end + longLine) : whole;
      const cost = this.#countTokens(text.slice(end, to));
      if (tokens + cost > maxTokens) {
        // At least one character, so that the next part is another one.
        const isLong = whole - end > longLine && maxTokens - tokens > 0;
        if ((some && end === 0) || isLong) {
          end = furthestCut(text, end, to, Math.max(1, maxTokens - tokens), this.#countTokens);
        }
        return { end, tokens: Math.min(maxTokens, tokens + cost) };
      }
      [end, tokens] = [to, tokens + cost];
      if (this.#slice.due()) await this.#slice.yieldIfDue(this.#signal);
    }
    return { end, tokens };
  }
}

/** The end of the character at a place. */
function characterEnd(text: string, place: number): number {
  const unit = text.charCodeAt(place);
  return unit >= 0xdc00 && unit <= 0xdfff ? place + 1 : place;
}
