import { TokenTrie } from './token-trie.js';

/**
 * Look-ups in the vocabulary before tries are built, which takes some 50 ms. A look-up takes a microsecond: queries alone seldom
 * need so many, and adding documents soon does.
 */
const maxLookUps = 32_768;

/**
 * Greedy WordPiece (M. Schuster and K. Nakajima, "Japanese and Korean voice search", 2012): a word is the longest token that it
 * begins with, then the longest that it goes on with, and so on.
 */
export class WordPieces {
  readonly #vocabulary: ReadonlyMap<string, number>;
  readonly #prefix: string;
  readonly #unknown: number;
  #lookUps = 0;
  /** Where the token that was found last ends. */
  #end = 0;
  #tries: { readonly first: TokenTrie; readonly others: TokenTrie } | undefined;

  /** @param prefix of the tokens that a word goes on with, such as ##. @param unknown the token of a word without tokens. */
  constructor(vocabulary: ReadonlyMap<string, number>, prefix: string, unknown: number) {
    this.#vocabulary = vocabulary;
    this.#prefix = prefix;
    this.#unknown = unknown;
  }

  /** The token ids of a word of printable ASCII. */
  idsOf(word: string): number[] {
    const byTries = this.#lookUps >= maxLookUps;
    const ids: number[] = [];
    for (this.#end = 0; this.#end < word.length; ) {
      const id = byTries ? this.#longestInTries(word, this.#end) : this.#longestInVocabulary(word, this.#end);
      if (id < 0) return [this.#unknown];
      ids.push(id);
    }
    return ids;
  }

  #longestInVocabulary(word: string, start: number): number {
    for (let end = word.length; end > start; end--) {
      this.#lookUps++;
      const piece = word.slice(start, end);
      const id = this.#vocabulary.get(start === 0 ? piece : this.#prefix + piece);
      if (id === undefined) continue;
      this.#end = end;
      return id;
    }
    return -1;
  }

  #longestInTries(word: string, start: number): number {
    this.#tries ??= this.#buildTries();
    const trie = start === 0 ? this.#tries.first : this.#tries.others;
    const id = trie.longest(word, start);
    this.#end = trie.end;
    return id;
  }

  #buildTries(): { first: TokenTrie; others: TokenTrie } {
    const prefix = this.#prefix;
    const first = new TokenTrie(this.#vocabulary);
    if (prefix === '') return { first, others: first };
    const continuing = [...this.#vocabulary].filter(([token]) => token.startsWith(prefix));
    return { first, others: new TokenTrie(continuing.map(([token, id]) => [token.slice(prefix.length), id])) };
  }
}
