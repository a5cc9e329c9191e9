import { Parser } from 'htmlparser2';
import { LineNumbers } from '../content/line-numbers.js';

/** Characters that identify a place; shorter texts are looked for as a whole. */
const probeLength = 48;

/** Finds the lines of texts that were taken from HTML by a library that does not keep them. */
export class SourceLines {
  /** The text of the HTML without white space. */
  readonly #text: string;
  /** For each piece of it, where it starts and its line in the file. */
  readonly #starts: number[] = [];
  readonly #lines: number[] = [];
  #body = 0;
  #at = 0;

  constructor(html: string) {
    const lines = new LineNumbers(html);
    const pieces: string[] = [];
    let length = 0;
    const parser: Parser = new Parser(
      {
        onopentag: (name) => {
          // Titles and the like come before it.
          if (name === 'body') this.#body = this.#at = length;
        },
        ontext: (text) => {
          // Lines of one piece: entities and long texts come in several pieces anyway.
          const { startIndex } = parser;
          for (const { 0: word, index } of text.matchAll(/\S+/g)) {
            this.#starts.push(length);
            this.#lines.push(lines.at(startIndex + index));
            pieces.push(word);
            length += word.length;
          }
        },
      },
      { decodeEntities: true },
    );
    parser.end(html);
    this.#text = pieces.join('');
  }

  /** First and last line of a text; the texts come in the order of the file. Undefined if it is not found. */
  find(text: string): { readonly startLine: number; readonly endLine: number } | undefined {
    const bare = text.replace(/^(?:-|\d+\.)\s/gm, '').replaceAll(' | ', ' ');
    const packed = bare.replace(/\s+/g, '');
    if (packed === '') return undefined;
    const probe = packed.slice(0, probeLength);
    const start = this.#indexOf(probe, this.#at);
    if (start < 0) return undefined;
    const end = this.#text.indexOf(packed.slice(-probeLength), Math.max(start, start + packed.length - probeLength));
    // A match far behind is that of another text.
    const isNear = end >= 0 && end - start < packed.length * 2;
    const last = isNear ? end + Math.min(probeLength, packed.length) : start + probe.length;
    this.#at = start;
    return { startLine: this.#lineAt(start), endLine: this.#lineAt(last - 1) };
  }

  #indexOf(probe: string, from: number): number {
    const next = this.#text.indexOf(probe, from);
    return next >= 0 ? next : this.#text.indexOf(probe, this.#body);
  }

  #lineAt(position: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#starts[middle] as number) <= position) low = middle;
      else high = middle - 1;
    }
    return this.#lines[low] ?? 1;
  }
}
