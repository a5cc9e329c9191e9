import { searchedPartsOf } from '../../analysis/fields/stored-text.js';
import type { Phrase, PhraseSearch } from '../../analysis/query/phrase.js';
import { termRunsOf } from '../../analysis/query/term-sequence.js';
import type { RankedDocument, ReadSnapshot } from '../../backend/read-snapshot.js';
import { TimeSlice } from '../../time-slice.js';
import type { PhraseFilter } from './phrase-filter.js';

/** Documents whose texts are read at once: at first, and at most. */
const [firstRead, maxRead] = [16, 32];
/** Runs of a text between two looks at the clock. */
const runsPerLook = 64;

/** Decides by the texts of documents which of them the phrases of a query leave. Each text is read once, in slices. */
export class PhraseTexts {
  readonly #snapshot: ReadSnapshot;
  readonly #signal: AbortSignal | undefined;
  readonly #slice = new TimeSlice();
  readonly #passes = new Map<number, boolean>();
  readonly #languages: readonly LanguagePhrases[];
  readonly #required: number;

  constructor(snapshot: ReadSnapshot, { required, unwanted }: PhraseFilter, signal: AbortSignal | undefined) {
    this.#snapshot = snapshot;
    this.#signal = signal;
    this.#required = required.length;
    this.#languages = snapshot.languages.map((language) => ({
      language,
      required: required.flatMap((phrase, place) =>
        phrase.filter((own) => own.language === language).map((own) => ({ place, phrase: own })),
      ),
      unwanted: unwanted.flat().filter((phrase) => phrase.language === language),
    }));
  }

  /** How many texts were read. */
  get read(): number {
    return this.#passes.size;
  }

  /** The first of some documents that pass, in their order; texts that need not be read are not. */
  async firstThatPass(documents: readonly RankedDocument[], count: number): Promise<RankedDocument[]> {
    const passed: RankedDocument[] = [];
    let atOnce = firstRead;
    for (let first = 0; first < documents.length && passed.length < count; ) {
      const some = documents.slice(first, first + atOnce);
      first += atOnce;
      atOnce = Math.min(maxRead, 2 * atOnce);
      await this.#decide(some.map(({ key }) => key).filter((key) => !this.#passes.has(key)));
      passed.push(...some.filter(({ key }) => this.#passes.get(key) === true));
    }
    return passed.slice(0, count);
  }

  /** The keys of all that pass. */
  async allThatPass(keys: Iterable<number>): Promise<number[]> {
    const passed: number[] = [];
    let some: number[] = [];
    const decide = async (): Promise<void> => {
      await this.#decide(some.filter((key) => !this.#passes.has(key)));
      for (const key of some) if (this.#passes.get(key) === true) passed.push(key);
      some = [];
    };
    for (const key of keys) {
      some.push(key);
      if (some.length === maxRead) await decide();
    }
    await decide();
    return passed;
  }

  async #decide(keys: readonly number[]): Promise<void> {
    if (keys.length === 0) return;
    const documents = await this.#snapshot.byKeys(keys, this.#signal);
    for (const [place, document] of documents.entries()) {
      if (this.#slice.due()) await this.#slice.yieldIfDue(this.#signal);
      const key = keys[place] as number;
      // A document that is gone is left out when hits are read.
      this.#passes.set(key, document === undefined || (await this.#hasPassed(document.text)));
    }
  }

  async #hasPassed(text: string): Promise<boolean> {
    const missing = new Set(Array.from({ length: this.#required }, (_, place) => place));
    for (const { language, required, unwanted } of this.#languages) {
      const wanted: { readonly place: number; readonly search: PhraseSearch }[] = [];
      for (const { place, phrase } of required) {
        if (missing.has(place) && (await this.#mayBeIn(phrase, text))) wanted.push({ place, search: phrase.search() });
      }
      const forbidden: PhraseSearch[] = [];
      for (const phrase of unwanted) if (await this.#mayBeIn(phrase, text)) forbidden.push(phrase.search());
      if (wanted.length + forbidden.length === 0) continue;
      let [runs, isDone] = [0, false];
      for (const { text: part } of searchedPartsOf(text)) {
        for (const run of termRunsOf(part, language)) {
          if (++runs % runsPerLook === 0 && this.#slice.due()) await this.#slice.yieldIfDue(this.#signal);
          isDone = forbidden.length === 0;
          for (const { search } of wanted) if (!search.add(run)) isDone = false;
          for (const search of forbidden) if (search.add(run)) isDone = true;
          if (isDone) break;
        }
        if (isDone) break;
        for (const { search } of wanted) search.interrupt();
        for (const search of forbidden) search.interrupt();
      }
      for (const { place, search } of wanted) if (search.found) missing.delete(place);
      if (forbidden.some(({ found }) => found)) return false;
    }
    return missing.size === 0;
  }

  async #mayBeIn(phrase: Phrase, text: string): Promise<boolean> {
    for (const may of phrase.mayBeInParts(text)) {
      if (may) return true;
      if (this.#slice.due()) await this.#slice.yieldIfDue(this.#signal);
    }
    return false;
  }
}

/** The phrases of a query in one language. */
interface LanguagePhrases {
  readonly language: string;
  readonly required: readonly { readonly place: number; readonly phrase: Phrase }[];
  readonly unwanted: readonly Phrase[];
}
