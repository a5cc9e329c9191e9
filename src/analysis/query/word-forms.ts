import { indexedTermsOf } from '../analyze.js';
import { termsOf } from '../terms.js';

/** Words as they are written: letters, digits and marks, also with signs between them. */
const writtenWords = /[\p{L}\p{N}\p{M}_]+/gu;

/** The forms in which a term is written. */
class Forms {
  /** By the form in lower case: occurrences of each spelling. */
  readonly #spellings = new Map<string, Map<string, number>>();

  add(word: string): void {
    const lower = word.toLowerCase();
    const spellings = this.#spellings.get(lower) ?? new Map<string, number>();
    spellings.set(word, (spellings.get(word) ?? 0) + 1);
    this.#spellings.set(lower, spellings);
  }

  /** The most frequent form that a function wants: the shortest of several, then the first by code units. */
  best(wants: (form: string) => boolean): string | undefined {
    const forms = Array.from(this.#spellings, ([lower, spellings]) => ({
      lower,
      spellings,
      count: Array.from(spellings.values()).reduce((sum, count) => sum + count, 0),
    })).filter(({ lower }) => wants(lower));
    forms.sort((a, b) => b.count - a.count || a.lower.length - b.lower.length || (a.lower < b.lower ? -1 : 1));
    const [first] = forms;
    if (first === undefined) return undefined;
    // A name is never written in lower case; a word at the beginning of a sentence is, elsewhere.
    const [only, ...others] = first.spellings.keys();
    return others.length === 0 && only !== undefined && first.count > 1 ? only : first.lower;
  }
}

/** Finds the forms of terms in texts: the index has stems only. */
export class WordForms {
  readonly #forms: ReadonlyMap<string, Forms>;
  readonly #languages: readonly string[];

  /** @param languages those that the texts are indexed in. */
  constructor(terms: Iterable<string>, languages: readonly string[]) {
    this.#languages = languages;
    this.#forms = new Map(Array.from(terms, (term) => [term, new Forms()]));
  }

  /** Adds the words of a text. */
  add(text: string): void {
    for (const [word] of text.normalize('NFKC').matchAll(writtenWords)) {
      const stems = new Set(this.#languages.map((language) => indexedTermsOf(word, language)[0]));
      for (const stem of stems) if (stem !== undefined) this.#forms.get(stem)?.add(word);
    }
  }

  /** The most frequent form of a term in lower case, or as a name is written, that begins with some letters; undefined if none was added. */
  best(term: string, begin = ''): string | undefined {
    return this.#forms.get(term)?.best((form) => begin === '' || (termsOf(form)[0]?.startsWith(begin) ?? false));
  }
}
