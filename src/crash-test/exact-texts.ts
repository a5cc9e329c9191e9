import { analyzeDocument, analyzeQuery } from '../analysis/analyze.js';
import { exactFormWeight, isExactForm } from '../analysis/exact-forms.js';
import { englishAnalysis, languageOfDocument, queryLanguages } from '../analysis/text-analysis.js';
import type { DocumentId } from '../types.js';
import type { Scored } from './exact-search.js';

const [k1, b] = [1.2, 0.75];

/**
 * The BM25 scores of all documents that share a term with a query, best first, equal ones in the order of the documents: the
 * reference for searches by text. Texts are as they are stored; statistics are those of `all` documents.
 */
export function scoreTexts(
  all: Iterable<{ readonly id: DocumentId; readonly text: string }>,
  query: string,
  mayBeFound: (id: DocumentId) => boolean = () => true,
  analysis = englishAnalysis,
): Scored[] {
  const analyzed = Array.from(all, ({ id, text }) => {
    const language = languageOfDocument(analysis, () => text);
    return { id, language, ...analyzeDocument(text, language, analysis.layout?.weights) };
  });
  const average = analyzed.reduce((sum, { length }) => sum + length, 0) / Math.max(1, analyzed.length);
  const found = [...new Set(analyzed.map(({ language }) => language))];
  const { terms, weights } = analyzeQuery(query, queryLanguages(analysis, found));
  // A term that counts 0 times is another form of the one before it: they have one weight.
  const words: { readonly forms: Set<string>; readonly weight: number }[] = [];
  for (const [place, term] of terms.entries()) {
    const weight = weights[place] as number;
    if (weight === 0) words.at(-1)?.forms.add(term);
    else words.push({ forms: new Set([term]), weight: isExactForm(term) ? weight * exactFormWeight : weight });
  }
  const idf = words.map(({ forms }) => {
    const havingEach = [...forms].map((form) => analyzed.filter((document) => document.terms.has(form)).length);
    const having = Math.min(
      analyzed.length,
      havingEach.reduce((sum, count) => sum + count, 0),
    );
    return Math.log(1 + (analyzed.length - having + 0.5) / (having + 0.5));
  });
  const scored = analyzed.flatMap(({ id, length, terms: own }) => {
    if (!mayBeFound(id)) return [];
    const norm = k1 * (1 - b + (b * length) / average);
    const score = words.reduce((sum, word, position) => {
      const weight = word.weight * (idf[position] as number);
      const shares = [...word.forms].map((form) => {
        const frequency = own.get(form) ?? 0;
        return (weight * frequency) / (frequency + norm || 1);
      });
      return sum + shares.reduce((all, share) => all + share, 0);
    }, 0);
    return score > 0 ? [{ id, score }] : [];
  });
  return scored.sort((one, other) => other.score - one.score);
}
