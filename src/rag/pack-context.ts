import type { CountTokens } from '../options.js';
import { furthestCut } from './chunking/split-parts.js';
import { type Excerpt, joinExcerpts, type Passage, type Stretch } from './passages.js';

/** Formats a passage for a context. */
export type PassageFormat = (passage: Passage) => string;

const between = '\n\n';

/** `[1] docs/guide.md › Install (lines 3-9)` or `[1] report.pdf › Results (page 4)`, a line end, and the text. */
export const formatPassage: PassageFormat = (passage) => {
  const { number, source, headings, startLine, endLine, page, endPage, pageKind = 'page', text } = passage;
  const place = page === undefined ? span('line', startLine, endLine) : span(pageKind, page, endPage);
  return `[${number}] ${[source, ...headings].join(' › ')}${place}\n${text}`;
};

function span(unit: string, first: number | undefined, last = first): string {
  if (first === undefined) return '';
  return first === last ? ` (${unit} ${first})` : ` (${unit}s ${first}-${last})`;
}

/**
 * Builds a context, excerpt by excerpt, within a token budget that includes the headers. Passages are numbered in the
 * order of their best hits.
 */
export class PackedContext {
  readonly #maxTokens: number;
  readonly #countTokens: CountTokens;
  readonly #format: PassageFormat;
  readonly #excerpts = new Map<Excerpt['id'], Excerpt>();
  readonly #scores = new Map<Excerpt['id'], { rank: number; score: number }>();
  #cut: Stretch | undefined;

  constructor(maxTokens: number, countTokens: CountTokens, format: PassageFormat) {
    this.#maxTokens = maxTokens;
    this.#countTokens = countTokens;
    this.#format = format;
  }

  has(id: Excerpt['id']): boolean {
    return this.#excerpts.has(id);
  }

  get excerpts(): IterableIterator<Excerpt> {
    return this.#excerpts.values();
  }

  get isEmpty(): boolean {
    return this.#excerpts.size === 0;
  }

  /** Adds an excerpt if it fits, with a score if it is a hit. */
  add(excerpt: Excerpt, score?: number): boolean {
    if (this.#cut !== undefined || this.has(excerpt.id)) return false;
    this.#excerpts.set(excerpt.id, excerpt);
    if (score !== undefined) this.#scores.set(excerpt.id, { rank: this.#scores.size, score });
    if (this.#countTokens(this.text()) <= this.#maxTokens) return true;
    this.#excerpts.delete(excerpt.id);
    this.#scores.delete(excerpt.id);
    return false;
  }

  /** Adds the longest prefix of an excerpt that fits, for a hit that does not fit as a whole. Nothing can follow it. */
  addBeginning(excerpt: Excerpt, score: number): boolean {
    const [whole] = joinExcerpts([excerpt]) as [Stretch];
    const cutAt = (length: number): Stretch => {
      const text = whole.text.slice(0, length).trimEnd();
      if (whole.startLine === undefined || whole.start === undefined) return { ...whole, text };
      const endLine = whole.startLine + text.split(/\r\n|\n|\r/).length - 1;
      return { ...whole, text, endLine, end: whole.start + text.length };
    };
    const tokensOf = (text: string): number => {
      const headings = excerpt.place?.headings ?? [];
      const passage: Passage = { ...cutAt(text.length), headings, number: 1, score };
      return this.#countTokens(this.#format(passage));
    };
    const length = furthestCut(whole.text, 0, whole.text.length, this.#maxTokens, tokensOf);
    const word = /\s\S*$/.exec(whole.text.slice(0, length + 1))?.index ?? length;
    const cut = cutAt(length < whole.text.length && word > length / 2 ? word : length);
    if (cut.text === '' || tokensOf(cut.text) > this.#maxTokens) return false;
    this.#excerpts.set(excerpt.id, excerpt);
    this.#scores.set(excerpt.id, { rank: 0, score });
    this.#cut = cut;
    return true;
  }

  passages(): Passage[] {
    const stretches = this.#cut === undefined ? joinExcerpts([...this.#excerpts.values()]) : [this.#cut];
    return stretches
      .map((stretch) => ({ stretch, best: this.#bestHit(stretch) }))
      .sort((a, b) => a.best.rank - b.best.rank)
      .map(({ stretch, best }, position) => {
        const headings = this.#excerpts.get(best.id)?.place?.headings ?? [];
        return { ...stretch, headings, number: position + 1, score: best.score };
      });
  }

  /** Every passage contains a hit: surrounding chunks are added to passages with hits only. */
  #bestHit({ ids }: Stretch): { id: Excerpt['id']; rank: number; score: number } {
    const hits = ids.flatMap((id) => {
      const hit = this.#scores.get(id);
      return hit === undefined ? [] : [{ id, ...hit }];
    });
    return hits.reduce((best, hit) => (hit.rank < best.rank ? hit : best));
  }

  text(passages = this.passages()): string {
    return passages.map(this.#format).join(between);
  }
}
