/** What a query with operators is made of. Escapes are resolved. */
export interface QueryClauses {
  /** Words without an operator, in their order. */
  readonly words: readonly string[];
  /** From `"several words"`. */
  readonly phrases: readonly string[];
  /** From `begin*`. */
  readonly prefixes: readonly string[];
  /** From `-word`, `-"several words"` and `-begin*`. */
  readonly excluded: Readonly<Record<'words' | 'phrases' | 'prefixes', readonly string[]>>;
  /** What is embedded: everything that is not excluded, without operators. */
  readonly text: string;
}

/** A clause: `-` before it, a quoted phrase, or characters up to white space. A phrase without its closing quote is not one. */
const clauses = /(-?)(?:"((?:[^"\\]|\\[\s\S])*)"|((?:\\[\s\S]|[^\s\\])+|\\))/gu;
const escaped = /\\([\\"*-])/g;
const endsWithStar = /(?<!\\)(?:\\\\)*\*$/;
const letterOrNumber = /[\p{L}\p{N}\p{S}]/u;

/**
 * Reads the operators of a query: `"several words"`, `begin*`, and `-` directly before a word, a phrase or a prefix. A backslash
 * before `"`, `-`, `*` or a backslash makes it an ordinary character. Every text is a query: a quotation mark without its pair, a
 * dash between words and the like are part of the words.
 */
export function parseQuery(query: string): QueryClauses {
  const [words, phrases, prefixes, positive]: [string[], string[], string[], string[]] = [[], [], [], []];
  const excluded: Record<'words' | 'phrases' | 'prefixes', string[]> = { words: [], phrases: [], prefixes: [] };
  for (const [whole, dash, quoted, run] of query.matchAll(clauses)) {
    const isExcluded = dash === '-';
    if (quoted !== undefined) {
      const phrase = unescaped(quoted);
      if (!letterOrNumber.test(phrase)) continue;
      (isExcluded ? excluded.phrases : phrases).push(phrase);
      if (!isExcluded) positive.push(phrase);
      continue;
    }
    const raw = run as string;
    // A second dash is that of a name, as in --verbose.
    if (isExcluded && (raw.startsWith('-') || !letterOrNumber.test(raw))) {
      words.push(unescaped(whole));
      positive.push(unescaped(whole));
      continue;
    }
    const isPrefix = endsWithStar.test(raw) && letterOrNumber.test(raw);
    const word = unescaped(isPrefix ? raw.slice(0, -1) : raw);
    const target = isExcluded ? excluded : { words, prefixes };
    (isPrefix ? target.prefixes : target.words).push(word);
    if (!isExcluded) positive.push(word);
  }
  return { words, phrases, prefixes, excluded, text: positive.join(' ') };
}

function unescaped(text: string): string {
  return text.replace(escaped, '$1');
}
