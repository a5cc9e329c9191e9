import { Phrase } from '../../analysis/query/phrase.js';
import type { QueryClauses } from '../../analysis/query/query-syntax.js';
import type {
  DocumentSet,
  QueryTerm,
  RankedDocuments,
  RankQuery,
  RankSearch,
  ReadSnapshot,
} from '../../backend/read-snapshot.js';
import { termsOfText } from '../../ranking/query-terms.js';
import type { CorrectedWord, SearchedPhrases, SearchedPrefix, SearchedSegment } from '../../types.js';
import { filterByClauses, isFiltered, type PhraseFilter } from './phrase-filter.js';
import { PhraseTexts } from './phrase-texts.js';
import { expandPrefixes } from './query-prefixes.js';
import { correctSpelling } from './query-spelling.js';

/** A query as it is ranked, and its operators if it was read with a syntax. */
export interface SyntaxQuery extends RankQuery {
  readonly clauses?: QueryClauses | undefined;
}

/** What became of the words of queries, for their explanation. */
export interface QueryNotes {
  readonly corrected: CorrectedWord[];
  readonly prefixes: SearchedPrefix[];
}

/** What is reported of how queries are read. */
export interface QueryReports {
  /** Default: nothing is noted. */
  readonly notes?: QueryNotes | undefined;
  /** Called with the terms of a query, by its place, where they are not those of its analysis. */
  readonly onTerms?: ((place: number, terms: readonly QueryTerm[]) => void) | undefined;
  /** Called where not all texts were read that may have the phrases of a query. */
  readonly onPhrases?: ((place: number, phrases: SearchedPhrases) => void) | undefined;
}

/** Terms that a prefix is expanded to: the most frequent ones. */
const maxExpansions = 256;
/** How many times as many documents are ranked where too few pass: by the share that passed, and some to spare; at most. */
const [spare, maxGrowth] = [1.5, 32];
/** Most texts that are read for the phrases of a query, unless the search is exact: about a tenth of a second. */
const maxTexts = 8_192;

/**
 * Ranks documents for queries, whose operators filter documents and expand prefixes. Words that occur in no document are replaced by
 * similar ones if the search skips queries with missing terms.
 */
export async function rankQueries(
  snapshot: ReadSnapshot,
  search: RankOptions & { readonly queries: readonly SyntaxQuery[] },
  { notes, onTerms, onPhrases }: QueryReports,
): Promise<RankedDocuments[]> {
  const { queries, skipsMissing: corrects = false, signal } = search;
  const withSyntax = new Map<number, { readonly query: RankQuery; readonly filter: PhraseFilter | undefined }>();
  for (const [place, query] of queries.entries()) {
    if (query.clauses === undefined) continue;
    const terms = query.text === undefined ? undefined : await termsOfClauses(snapshot, query.clauses, notes, signal);
    const filter = isFiltered(query.clauses) ? await filterByClauses(snapshot, query.clauses, signal) : undefined;
    withSyntax.set(place, { query: { ...query, terms }, filter });
    if (terms !== undefined) onTerms?.(place, terms);
  }
  const ranked = withSyntax.size < queries.length ? await snapshot.rank(plainOf(search, withSyntax)) : [];
  for (const [place, { query, filter }] of withSyntax) {
    ranked.splice(place, 0, await rank(place, query, filter, search));
  }
  if (!corrects) return ranked;
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
    if (again !== undefined) {
      notes?.corrected.push(...again.corrected);
      onTerms?.(place, again.terms);
    }
    const corrected = again === undefined ? query : { ...query, terms: again.terms };
    // Otherwise the first search reported the segments.
    const rest = isSkipped ? search : { ...search, onSegment: undefined };
    ranked[place] = await rank(place, corrected, filter, rest);
  }
  return ranked;

  async function rank(
    place: number,
    query: RankQuery,
    filter: PhraseFilter | undefined,
    options: RankOptions,
  ): Promise<RankedDocuments> {
    const { documents, phrases } = await rankFiltered(snapshot, query, filter, options);
    if (phrases !== undefined) onPhrases?.(place, phrases);
    return documents;
  }
}

/** The search without the queries at some places. Most searches have no others, and are not copied. */
function plainOf(search: RankSearch, others: ReadonlyMap<number, unknown>): RankSearch {
  if (others.size === 0) return search;
  return { ...search, queries: search.queries.filter((_, place) => !others.has(place)) };
}

/** Documents that were ranked, and how many texts were read for the phrases of their query, if not all that may have them. */
interface FilteredDocuments {
  readonly documents: RankedDocuments;
  readonly phrases: SearchedPhrases | undefined;
}

/**
 * Ranks the documents that pass a filter for one query. Terms give a set of documents; the texts of the best ones decide which of these
 * pass. Unless too many texts would have to be read, the result is that of a search among all documents that pass.
 */
async function rankFiltered(
  snapshot: ReadSnapshot,
  query: RankQuery,
  filter: PhraseFilter | undefined,
  options: RankOptions,
): Promise<FilteredDocuments> {
  const isDecided = filter === undefined || filter.required.length + filter.unwanted.length === 0;
  if (isDecided) {
    const [ranked] = await snapshot.rank({
      ...options,
      skipsMissing: false,
      queries: [query],
      within: filter?.documents,
    });
    return { documents: ranked as RankedDocuments, phrases: undefined };
  }
  const { documents: within } = filter;
  const texts = new PhraseTexts(snapshot, filter, options.signal);
  const isByBoth = query.vector !== undefined && (query.text !== undefined || query.terms !== undefined);
  const { documents, isCut } = isByBoth
    ? await rankByBoth(snapshot, query, within, texts, options)
    : await rankByOne(snapshot, query, within, texts, maxTexts, options);
  return { documents, phrases: isCut ? { read: texts.read, of: within.size } : undefined };
}

/** The best documents that pass; if `isCut`, of those whose texts were read. */
interface PassedDocuments {
  readonly documents: RankedDocuments;
  readonly isCut: boolean;
}

type RankOptions = Omit<RankSearch, 'queries' | 'within'>;

/** Documents that a call ranked, and the segments that it searched. */
interface RankedWithin {
  readonly documents: RankedDocuments;
  readonly segments: readonly SearchedSegment[];
}

async function rankWithin(
  snapshot: ReadSnapshot,
  query: RankQuery,
  options: RankOptions,
  within: DocumentSet | undefined,
): Promise<RankedWithin> {
  const segments: SearchedSegment[] = [];
  const onSegment = (segment: SearchedSegment): number => segments.push(segment);
  // Which of them are read depends on their phrases.
  const search = { ...options, skipsMissing: false, reads: 0, queries: [query], within, onSegment };
  const [documents] = await snapshot.rank(search);
  return { documents: documents as RankedDocuments, segments };
}

/**
 * By text or by vector alone, scores do not depend on what is left out: texts are read in their order until k documents pass. Where
 * the `most` best ones have too few, all are read if they are few, or if the search is exact.
 */
async function rankByOne(
  snapshot: ReadSnapshot,
  query: RankQuery,
  within: DocumentSet,
  texts: PhraseTexts,
  most: number,
  options: RankOptions,
): Promise<PassedDocuments> {
  const { k, exact, onSegment } = options;
  for (let size = k; ; ) {
    const { documents, segments } = await rankWithin(snapshot, query, { ...options, k: size }, within);
    const { ranked } = documents;
    const passed = await texts.firstThatPass(ranked, k);
    const isDone = passed.length === k || ranked.length < size;
    if (!isDone && size < most) {
      size = Math.min(most, grown(size, passed.length / k));
      continue;
    }
    for (const segment of segments) onSegment?.(segment);
    if (isDone) return { documents: { ...documents, ranked: passed }, isCut: false };
    if (!exact && within.size > maxTexts) {
      return { documents: { ...documents, ranked: passed, isComplete: false }, isCut: true };
    }
    const all = within.only(await texts.allThatPass(within.keys()));
    return { documents: (await rankWithin(snapshot, query, options, all)).documents, isCut: false };
  }
}

/** By both, the candidates of each side are the best ones that pass. */
async function rankByBoth(
  snapshot: ReadSnapshot,
  query: RankQuery,
  within: DocumentSet,
  texts: PhraseTexts,
  options: RankOptions,
): Promise<PassedDocuments> {
  const most = maxTexts / 2;
  const side = { ...options, k: options.depth };
  const byWords = { ...query, vector: undefined };
  const byMeaning = { ...query, text: undefined, terms: undefined };
  const sides = [
    await rankByOne(snapshot, byWords, within, texts, most, { ...side, onSegment: undefined }),
    await rankByOne(snapshot, byMeaning, within, texts, most, side),
  ];
  const candidates = within.only(sides.flatMap(({ documents }) => documents.ranked.map(({ key }) => key)));
  const { documents } = await rankWithin(snapshot, query, options, candidates);
  const isCut = sides.some((one) => one.isCut);
  const isComplete = !isCut && sides.every((one) => one.documents.ranked.length < side.k);
  return { documents: { ...documents, isComplete }, isCut };
}

/** How many documents are ranked next, where a share of those that were wanted has passed. */
function grown(size: number, share: number): number {
  return Math.ceil(size * Math.min(maxGrowth, Math.max(2, spare / share)));
}

/** The terms of the words, phrases and prefixes of a query. */
export async function termsOfClauses(
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
