import { PhrasePattern } from './phrase-pattern.js';
import { type TermRun, termRunsOf } from './term-sequence.js';

/** A word, and the run that it is in. */
interface Position {
  readonly word: string;
  readonly run: TermRun;
}

/**
 * Words that must follow each other in a text, compared as a language indexes them: by stems, regardless of case, marks and punctuation.
 * Names with signs and identifiers must be the same (`"C++ code"` does not occur in `C code`), their words may be part of a longer
 * name. Symbols and emoji must occur anywhere in the text.
 */
export class Phrase {
  /** All terms that a text with the phrase has. */
  readonly terms: readonly string[];
  readonly #positions: readonly Position[];
  readonly #pattern: PhrasePattern | undefined;

  constructor(
    readonly text: string,
    readonly language: string,
  ) {
    const runs = [...termRunsOf(text, language)];
    this.#positions = positionsOf(runs);
    this.#pattern = language === 'en' ? PhrasePattern.of(this.#positions.map(({ word }) => word)) : undefined;
    this.terms = [...new Set(runs.flatMap(({ words, others }) => [...words, ...others]))];
  }

  /** Whether a text that has the terms has the phrase, whatever their order is. */
  get hasNoOrder(): boolean {
    return this.#positions.length === 0 || (this.#positions.length === 1 && this.terms.length === 1);
  }

  /** Whether a text that has the terms has the phrase. */
  isIn(text: string): boolean {
    const search = this.search();
    for (const run of termRunsOf(text, this.language)) if (search.add(run)) return true;
    return search.found;
  }

  /** Whether a text may have the phrase, or one of the parts of a long one: several answers, of which one is true if it has. */
  *mayBeInParts(text: string): Generator<boolean> {
    if (this.#pattern === undefined) yield true;
    else for (const part of this.#pattern.partsOf(text)) yield this.#pattern.mayBeIn(part);
  }

  /** False only for a text that does not have the phrase; much faster than `isIn`. */
  mayBeIn(text: string): boolean {
    for (const may of this.mayBeInParts(text)) if (may) return true;
    return false;
  }

  /** A search in a text that has the terms, whose runs are added in their order. */
  search(): PhraseSearch {
    return new PhraseSearch(this.#positions);
  }
}

/** Looks for a phrase in a text, run by run. */
export class PhraseSearch {
  readonly #positions: readonly Position[];
  /** How many positions match up to the last word: one number for each place where the phrase may have begun. */
  #begun: number[] = [];
  found: boolean;

  constructor(positions: readonly Position[]) {
    this.#positions = positions;
    this.found = positions.length === 0;
  }

  /** The runs that follow are of another field: no phrase goes on in them. */
  interrupt(): void {
    this.#begun = [];
  }

  /** Goes on to the next run; true once the phrase was found. */
  add(run: TermRun): boolean {
    if (this.found) return true;
    for (const word of run.words) {
      // Most words begin nothing and go on with nothing.
      if (this.#begun.length === 0 && word !== this.#positions[0]?.word) continue;
      const going: number[] = [];
      for (const matched of [...this.#begun, 0]) {
        if (!matches(this.#positions[matched] as Position, word, run)) continue;
        if (matched + 1 === this.#positions.length) this.found = true;
        going.push(matched + 1);
      }
      if (this.found) return true;
      this.#begun = going;
    }
    return false;
  }
}

function matches(wanted: Position, word: string, run: TermRun): boolean {
  if (wanted.word !== word) return false;
  for (const name of wanted.run.others) if (!run.others.has(name) && !run.words.includes(name)) return false;
  return true;
}

function positionsOf(runs: Iterable<TermRun>): Position[] {
  return Array.from(runs, (run) => run.words.map((word) => ({ word, run }))).flat();
}
