import type { Phrase } from '../analysis/query/phrase.js';
import type { CountTokens } from '../options.js';
import { TimeSlice } from '../time-slice.js';
import type { Snippet, SnippetRange } from '../types.js';
import { type TextWindow, windowsOf } from './best-window.js';
import { boundaryAfter, boundaryBefore } from './grapheme-boundaries.js';
import { phraseMatchesIn } from './phrase-matches.js';
import { TermMatcher, type TermsOf } from './term-matches.js';
import { type ScannedText, TextScanner, type TextUnit } from './text-units.js';

/** How similar each text is to the query in meaning: cosines. */
export type SimilarityOf = (texts: readonly string[]) => Promise<ArrayLike<number>>;

/** How snippets are made. */
export interface SnippetSettings {
  readonly maxTokens: number;
  /** What is put before and behind matched words. */
  readonly highlight: readonly [string, string];
  readonly countTokens: CountTokens;
}

/** A term that is marked: the forms in which it is indexed, and what it is worth. */
export interface SnippetTerm {
  readonly forms: readonly string[];
  readonly weight: number;
}

/** What the windows of a text are chosen by. */
export interface SnippetQuery {
  /** Terms as the index analyzes queries; none for a query that is not a text. */
  readonly terms: readonly SnippetTerm[];
  /** Phrases, which are marked as a whole where they occur. Default: none. */
  readonly phrases?: readonly SnippetPhrase[] | undefined;
  readonly termsOf: TermsOf;
  /** Undefined where meaning costs too much. */
  readonly similarityOf: SimilarityOf | undefined;
}

/** A phrase and what it is worth. */
export interface SnippetPhrase {
  readonly phrase: Phrase;
  readonly weight: number;
}

/** A range of a text in which phrases are looked for: a field of it, or all. */
export interface PhraseRange {
  readonly start: number;
  readonly end: number;
}

/** Steps of the search for a phrase between two looks at the clock. */
const stepsPerCheck = 64;
/** Windows with the best terms that are compared by meaning. */
const comparedWindows = 8;
/** Worth of a cosine of 1, where all terms of the query are worth 1. */
const meaningWeight = 0.6;

/** Makes the snippets of documents for one query. */
export class SnippetMaker {
  readonly #matcher: TermMatcher;
  readonly #scanner: TextScanner;
  readonly #query: SnippetQuery;
  readonly #settings: SnippetSettings;
  readonly #slice = new TimeSlice();

  constructor(query: SnippetQuery, settings: SnippetSettings) {
    this.#matcher = new TermMatcher(
      query.terms.map(({ forms }) => forms),
      query.termsOf,
    );
    this.#scanner = new TextScanner(this.#matcher, settings.countTokens);
    this.#query = query;
    this.#settings = settings;
  }

  /**
   * The snippet of a text: of all windows within the token budget the one with the best terms and the nearest meaning; the nearest
   * meaning alone where no term occurs, and the beginning where meaning is unknown as well. Takes linear time, in slices.
   *
   * @param fields of the text, none of which a phrase leaves. Default: the whole text.
   */
  async snippetOf(text: string, signal: AbortSignal | undefined, fields?: readonly PhraseRange[]): Promise<Snippet> {
    const { maxTokens } = this.#settings;
    const scanned = await this.#withPhrases(text, await this.#scanner.scan(text, this.#slice, signal), fields, signal);
    const { terms, phrases = [] } = this.#query;
    const weights = weightsOf(scanned, [...terms, ...phrases]);
    const windows = await windowsOf(scanned, weights, maxTokens, this.#slice, signal);
    if (windows.length === 0) return this.#complete(text, scanned, undefined, 'beginning');
    const { window, basis } = await this.#choose(text, scanned, windows);
    return this.#complete(text, scanned, window, basis);
  }

  /** Adds the places of phrases, numbered behind the terms. */
  async #withPhrases(
    text: string,
    { units, matches }: ScannedText,
    fields: readonly PhraseRange[] = [{ start: 0, end: text.length }],
    signal: AbortSignal | undefined,
  ): Promise<ScannedText> {
    const { terms, phrases = [] } = this.#query;
    if (phrases.length === 0) return { units, matches };
    const all = [...matches];
    let steps = 0;
    for (const [place, { phrase }] of phrases.entries()) {
      for (const field of fields) {
        let unit = 0;
        for (const match of phraseMatchesIn(text.slice(field.start, field.end), phrase)) {
          if (++steps % stepsPerCheck === 0 && this.#slice.due()) await this.#slice.yieldIfDue(signal);
          if (match === undefined) continue;
          const [start, end] = [field.start + match.start, field.start + match.end];
          while ((units[unit] as TextUnit).end <= start) unit++;
          let lastUnit = unit;
          while ((units[lastUnit] as TextUnit).end < end) lastUnit++;
          all.push({ start, end, term: terms.length + place, unit, lastUnit });
        }
      }
    }
    all.sort((a, b) => a.start - b.start || a.end - b.end);
    return { units, matches: all };
  }

  async #choose(
    text: string,
    { units }: ScannedText,
    windows: readonly TextWindow[],
  ): Promise<{ window: TextWindow; basis: Snippet['basis'] }> {
    const { similarityOf } = this.#query;
    const byTerms = [...windows].sort((a, b) => b.score - a.score || a.first - b.first);
    const best = byTerms[0] as TextWindow;
    const hasTerms = best.score > 0;
    const isWhole = best.first === 0 && best.end === units.length;
    if (hasTerms && (isWhole || similarityOf === undefined)) return { window: best, basis: 'words' };
    if (similarityOf === undefined) return { window: windows[0] as TextWindow, basis: 'beginning' };
    const compared = hasTerms ? byTerms.slice(0, comparedWindows) : windows;
    const texts = compared.map(({ first, end }) =>
      text.slice((units[first] as TextUnit).start, (units[end - 1] as TextUnit).end),
    );
    const similarities = await similarityOf(texts);
    let [chosen, highest] = [best, Number.NEGATIVE_INFINITY];
    for (const [place, window] of compared.entries()) {
      const score = window.score + meaningWeight * (similarities[place] as number);
      if (score > highest) [chosen, highest] = [window, score];
    }
    return { window: chosen, basis: chosen.score > 0 ? 'words' : 'meaning' };
  }

  /** The snippet of a window, cut to the budget as `countTokens` counts it as a whole. */
  #complete(text: string, scanned: ScannedText, window: TextWindow | undefined, basis: Snippet['basis']): Snippet {
    const { maxTokens, countTokens, highlight } = this.#settings;
    const { units } = scanned;
    let { first, end } = window ?? { first: 0, end: 0 };
    const startOf = (): number => boundaryBefore(text, units[first]?.start ?? 0);
    const fits = (to: number): boolean => countTokens(text.slice(startOf(), to)) <= maxTokens;
    const lastMatch = scanned.matches.findLast(({ unit }) => unit >= first && unit < end)?.unit ?? first;
    let stop = end > first ? boundaryAfter(text, (units[end - 1] as TextUnit).end) : 0;
    while (end - first > 1 && !fits(stop)) {
      if (lastMatch === end - 1 && end - first > 2) first++;
      else end--;
      stop = boundaryAfter(text, (units[end - 1] as TextUnit).end);
    }
    const start = startOf();
    if (!fits(stop)) stop = longestPrefix(text, start, stop, fits);
    const ranges = this.#rangesIn(text, scanned, start, stop);
    const line = units[first]?.line ?? 1;
    const shown = text.slice(start, stop);
    return {
      text: shown,
      start,
      end: stop,
      startLine: line,
      endLine: line + (shown.match(/\r\n|\n|\r/g)?.length ?? 0),
      ranges,
      highlighted: highlighted(shown, ranges, highlight),
      // In a budget of a few tokens the word that decided may not fit.
      basis: basis === 'words' && ranges.length === 0 ? 'beginning' : basis,
    };
  }

  /** The matches inside a window, on boundaries of grapheme clusters; those that overlap are one where that is a match as well. */
  #rangesIn(text: string, { matches }: ScannedText, from: number, to: number): SnippetRange[] {
    const merged: { start: number; end: number; isPhrase: boolean }[] = [];
    for (const match of matches) {
      const [start, end] = [boundaryBefore(text, match.start), boundaryAfter(text, match.end)];
      if (start < from || end > to) continue;
      const isPhrase = match.term >= this.#query.terms.length;
      const last = merged.at(-1);
      if (last === undefined || start >= last.end) {
        merged.push({ start, end, isPhrase });
      } else if (end > last.end && (isPhrase || last.isPhrase || this.#matcher.matches(text.slice(last.start, end)))) {
        last.end = end;
        last.isPhrase ||= isPhrase;
      }
    }
    return merged.map(({ start, end }) => ({ start, end, snippetStart: start - from, snippetEnd: end - from }));
  }
}

/** Weights of the terms and phrases that a text has, which sum to 1: one that is rare in the index counts most. */
function weightsOf({ matches }: ScannedText, sought: readonly { readonly weight: number }[]): number[] {
  const found = new Set(matches.map(({ term }) => term));
  const weights = sought.map(({ weight }, term) => (found.has(term) ? weight : 0));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return sum === 0 ? weights : weights.map((weight) => weight / sum);
}

/** The end of the longest prefix of a range that fits, on a boundary; the start where none does. */
function longestPrefix(text: string, start: number, end: number, fits: (to: number) => boolean): number {
  let [low, high] = [start, end];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  let cut = boundaryBefore(text, low);
  while (cut > start && !fits(cut)) cut = boundaryBefore(text, cut - 1);
  return cut;
}

function highlighted(text: string, ranges: readonly SnippetRange[], [open, close]: readonly [string, string]): string {
  let result = '';
  let end = 0;
  for (const { snippetStart, snippetEnd } of ranges) {
    result += text.slice(end, snippetStart) + open + text.slice(snippetStart, snippetEnd) + close;
    end = snippetEnd;
  }
  return result + text.slice(end);
}
