import { indexedTermsOf } from '../../analysis/analyze.js';
import { type FieldSpan, readStored } from '../../analysis/fields/stored-text.js';
import { layOut, type TextLayout } from '../../analysis/fields/text-layout.js';
import { Phrase } from '../../analysis/query/phrase.js';
import { analysisFromSetting, languageOfDocument } from '../../analysis/text-analysis.js';
import { estimateTokens } from '../../embed/estimate-tokens.js';
import type { ResolvedSearchOptions } from '../../options.js';
import { type SimilarityOf, SnippetMaker } from '../../snippets/snippet-maker.js';
import type { Hit, Metadata, Query, Snippet, SnippetField } from '../../types.js';
import type { OperationContext } from '../context.js';
import { storedAnalysis } from '../stored-analysis.js';
import type { SnippetTerms } from './snippet-terms.js';

/**
 * The hits of a query with their snippets, if the search has them. Words are those of the language of each document.
 *
 * @param marked words and phrases of the query; undefined for one that is not a text.
 */
export async function withSnippets<M extends Metadata>(
  { backend, space }: OperationContext,
  query: Query,
  marked: SnippetTerms | undefined,
  hits: Hit<M>[],
  { snippet, signal }: Pick<ResolvedSearchOptions<M>, 'snippet' | 'signal'>,
): Promise<Hit<M>[]> {
  if (snippet === undefined || hits.length === 0) return hits;
  const { terms, phrases } = marked ?? { terms: [], phrases: [] };
  const compared = space.comparesLocally ? comparable(query) : undefined;
  const similarityOf: SimilarityOf | undefined =
    compared === undefined ? undefined : (texts) => space.similarities(compared, texts, signal);
  const settings = { ...snippet, countTokens: snippet.countTokens ?? estimateTokens };
  const analysis = analysisFromSetting(await storedAnalysis(backend));
  const makers = new Map<string, SnippetMaker>();
  const makerIn = (language: string): SnippetMaker => {
    const known = makers.get(language);
    if (known !== undefined) return known;
    const ownPhrases = phrases.map(({ text, weight }) => ({ phrase: new Phrase(text, language), weight }));
    const termsOf = (part: string): string[] => indexedTermsOf(part, language);
    const maker = new SnippetMaker({ terms, phrases: ownPhrases, termsOf, similarityOf }, settings);
    makers.set(language, maker);
    return maker;
  };
  const complete: Hit<M>[] = [];
  for (const hit of hits) {
    const metadata = analysis.field === undefined ? undefined : JSON.stringify(hit.metadata);
    const language = languageOfDocument(analysis, () => hit.text, metadata);
    const fields = fieldsOf(hit, analysis.layout);
    const snippet = await makerIn(language).snippetOf(hit.text, signal, fields);
    const shown = hit.textFields === undefined ? {} : { textFields: fieldsIn(snippet, fields ?? []) };
    complete.push({ ...hit, snippet: { ...snippet, ...shown } });
  }
  return complete;
}

/** Where the fields of a text are; undefined for one without. */
function fieldsOf(
  { text, textFields }: Pick<Hit, 'text' | 'textFields'>,
  layout: TextLayout | undefined,
): readonly FieldSpan[] | undefined {
  if (textFields === undefined) return undefined;
  const read = readStored(layOut(textFields, layout, 'a hit', true));
  return read?.text === text && read.fields.length > 0 ? read.fields : undefined;
}

/** The parts of fields that a snippet shows. */
function fieldsIn({ start, end, ranges }: Snippet, fields: readonly FieldSpan[]): SnippetField[] {
  return fields
    .filter((field) => field.start < end && field.end > start)
    .map((field) => ({
      field: field.field,
      start: Math.max(start, field.start) - field.start,
      end: Math.min(end, field.end) - field.start,
      ranges: ranges
        .filter((range) => range.start >= field.start && range.end <= field.end)
        .map((range) => ({ start: range.start - field.start, end: range.end - field.start })),
    }));
}

/** The query as texts are compared with it; undefined for the id of a document. */
function comparable(query: Query): string | Float32Array | undefined {
  if (typeof query === 'string' || query instanceof Float32Array) return query;
  return 'id' in query ? undefined : Float32Array.from(query);
}
