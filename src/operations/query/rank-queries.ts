import { Phrase } from '../../analysis/query/phrase.js';
import type { QueryClauses } from '../../analysis/query/query-syntax.js';
import type { QueryTerm, RankedDocuments, RankQuery, RankSearch, ReadSnapshot } from '../../backend/read-snapshot.js';
import type { CorrectedWord, SearchedPrefix, SearchedSegment } from '../../types.js';
import { excludedByText, filterByClauses, isFiltered, type PhraseFilter } from './phrase-filter.js';
import { expandPrefixes } from './query-prefixes.js';
import { correctSpelling } from './query-spelling.js';
import { termsOfText } from './query-terms.js';

/** A query as it is ranked, and its operators if it was read with a syntax. */
export interface SyntaxQuery extends RankQuery {
  readonly clauses?: QueryClauses | undefined;
}

/** What became of the words of queries, for their explanation. */
export interface QueryNotes {
  readonly corrected: CorrectedWord[];
  readonly prefixes: SearchedPrefix[];
}

/** How queries are read. */
export interface QueryReading {
  /** Replace words that occur in no document. */
  readonly typos: boolean;
  /** Default: nothing is noted. */
  readonly notes?: QueryNotes | undefined;
}

/** Terms that a prefix is expanded to: the most frequent ones. */
const maxExpansions = 256;

/** Ranks documents for queries, whose operators filter documents and expand prefixes, and whose misspelt words are corrected. */
export async function rankQueries(
  snapshot: ReadSnapshot,
  search: Omit<RankSearch, 'queries' | 'within'> & { readonly queries: readonly SyntaxQuery[] },
  { typos, notes }: QueryReading,
): Promise<RankedDocuments[]> {
  const { queries, ...options } = search;
  const { signal } = options;
  const withSyntax = new Map<number, { readonly query: RankQuery; readonly filter: PhraseFilter | undefined }>();
  for (const [place, query] of queries.entries()) {
    if (query.clauses === undefined) continue;
    const terms = query.text === undefined ? undefined : await termsOfClauses(snapshot, query.clauses, notes, signal);
    const filter = isFiltered(query.clauses) ? await filterByClauses(snapshot, query.clauses, signal) : undefined;
    withSyntax.set(place, { query: { ...query, terms }, filter });
  }
  const plain = withSyntax.size === 0 ? queries : queries.filter((_, place) => !withSyntax.has(place));
  const ranked = plain.length > 0 ? await snapshot.rank({ ...options, queries: plain, skipsMissing: typos }) : [];
  for (const [place, { query, filter }] of withSyntax) {
    ranked.splice(place, 0, await rankFiltered(snapshot, query, filter, options));
  }
  if (!typos) return ranked;
  for (const [place, { missingTerms, isSkipped = false }] of ranked.entries()) {
    if (missingTerms === 0) continue;
    const { query, filter } = withSyntax.get(place) ?? { query: queries[place] as SyntaxQuery, filter: undefined };
    const { text = '' } = query;
    const kept = new Set(
      queries[place]?.clauses?.phrases.flatMap((phrase) => termsOfPhrase(phrase, snapshot.languages)),
    );
    const again = await correctSpelling(snapshot, text, query.terms ?? termsOfText(text, snapshot.languages), {
      kept,
      isNoted: notes !== undefined,
      signal,
    });
    if (again === undefined && !isSkipped) continue;
    if (again !== undefined) notes?.corrected.push(...again.corrected);
    const corrected = again === undefined ? query : { ...query, terms: again.terms };
    // Otherwise the first search reported the segments.
    const rest = isSkipped ? options : { ...options, onSegment: undefined };
    ranked[place] = await rankFiltered(snapshot, corrected, filter, rest);
  }
  return ranked;
}

/**
 * Ranks the documents that pass a filter for one query. Terms give a set of documents; the texts of the best ones decide which of these pass,
 * the others are left out, and the rest is ranked again until all candidates pass. The result is that of a search among all documents
 * that pass, as none that does not is among the candidates in the end.
 */
async function rankFiltered(
  snapshot: ReadSnapshot,
  query: RankQuery,
  filter: PhraseFilter | undefined,
  options: Omit<RankSearch, 'queries' | 'within'>,
): Promise<RankedDocuments> {
  const { k, signal, onSegment } = options;
  const isDecided = filter === undefined || filter.required.length + filter.unwanted.length === 0;
  const isByBoth = query.vector !== undefined && (query.text !== undefined || query.terms !== undefined);
  const passed = new Set<number>();
  let within = filter?.documents;
  let [depth, growth] = [options.depth, 1];
  for (;;) {
    const segments: SearchedSegment[] = [];
    // All candidates of both sides are among the first; of one side the best ones are enough.
    const size = isDecided ? k : isByBoth ? Math.max(k, 2 * depth) : k * growth;
    const search = { ...options, k: size, depth, within };
    const [ranked] = (await snapshot.rank({
      ...search,
      queries: [query],
      onSegment: (segment) => segments.push(segment),
    })) as [RankedDocuments];
    const unknown = isDecided ? [] : ranked.ranked.map(({ key }) => key).filter((key) => !passed.has(key));
    const excluded =
      unknown.length === 0 ? [] : await excludedByText(snapshot, filter as PhraseFilter, unknown, signal);
    if (excluded.length === 0 && depth === options.depth) {
      for (const segment of segments) onSegment?.(segment);
      return { ...ranked, ranked: ranked.ranked.slice(0, k) };
    }
    for (const key of unknown) passed.add(key);
    if (excluded.length > 0) within = within?.without(excluded);
    // Where few pass, more are looked at; in the end, as many as wherever nothing is left out.
    const hasFew = excluded.length * 2 > unknown.length;
    if (excluded.length === 0) depth = options.depth;
    else if (hasFew && isByBoth) depth = Math.min(4 * depth, Math.max(depth, within?.size ?? 0));
    else if (hasFew && k * growth < (within?.size ?? 0)) growth *= 4;
  }
}

/** The terms of the words, phrases and prefixes of a query. */
async function termsOfClauses(
  snapshot: ReadSnapshot,
  { words, phrases, prefixes }: QueryClauses,
  notes: QueryNotes | undefined,
  signal: AbortSignal | undefined,
): Promise<QueryTerm[]> {
  const terms = termsOfText([...words, ...phrases].join(' '), snapshot.languages);
  const known = new Set(terms.flatMap(({ forms }) => forms));
  // The stop words of a phrase count if it has no other words: a document with the phrase has to be found by words as well.
  for (const phrase of phrases) {
    const own = termsOfText(phrase, snapshot.languages);
    if (own.some(({ forms: [term] }) => known.has(term as string))) continue;
    terms.push(...own);
    for (const { forms } of own) known.add(forms[0] as string);
  }
  if (prefixes.length === 0) return terms;
  for (const { prefix, terms: found, isCut } of await expandPrefixes(snapshot, prefixes, {
    limit: maxExpansions,
    signal,
  })) {
    notes?.prefixes.push({ prefix, terms: found.length, cut: isCut });
    if (found.length > 0) terms.push({ forms: found.map(({ term }) => term), times: 1 });
  }
  return terms;
}

function termsOfPhrase(phrase: string, languages: readonly string[]): string[] {
  return languages.flatMap((language) => new Phrase(phrase, language).terms);
}
