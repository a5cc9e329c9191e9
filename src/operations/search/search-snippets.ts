import { analyzeQuery, indexedTermsOf } from '../../analysis/analyze.js';
import { isExactForm } from '../../analysis/exact-forms.js';
import { readStored } from '../../analysis/fields/stored-text.js';
import { layOut, type TextLayout } from '../../analysis/fields/text-layout.js';
import { analysisFromSetting, languageOfDocument } from '../../analysis/text-analysis.js';
import { estimateTokens } from '../../embed/estimate-tokens.js';
import type { ResolvedSearchOptions } from '../../options.js';
import { type SimilarityOf, SnippetMaker } from '../../snippets/snippet-maker.js';
import type { Hit, Metadata, Query, Snippet, SnippetField } from '../../types.js';
import type { OperationContext } from '../context.js';
import { storedAnalysis } from '../stored-analysis.js';

/** The hits of a query with their snippets, if the search has them. Words are those of the language of each document. */
export async function withSnippets<M extends Metadata>(
  { backend, space }: OperationContext,
  query: Query,
  hits: Hit<M>[],
  { snippet, signal }: Pick<ResolvedSearchOptions<M>, 'snippet' | 'signal'>,
): Promise<Hit<M>[]> {
  if (snippet === undefined || hits.length === 0) return hits;
  const text = typeof query === 'string' ? query : undefined;
  const compared = space.comparesLocally ? comparable(query) : undefined;
  const similarityOf: SimilarityOf | undefined =
    compared === undefined ? undefined : (texts) => space.similarities(compared, texts, signal);
  const settings = { ...snippet, countTokens: snippet.countTokens ?? estimateTokens };
  const analysis = analysisFromSetting(await storedAnalysis(backend));
  const makers = new Map<string, SnippetMaker>();
  const makerIn = (language: string): SnippetMaker => {
    const known = makers.get(language);
    if (known !== undefined) return known;
    const terms = text === undefined ? [] : analyzeQuery(text, [language]).terms.filter((term) => !isExactForm(term));
    const maker = new SnippetMaker(
      { terms, termsOf: (part) => indexedTermsOf(part, language), similarityOf },
      settings,
    );
    makers.set(language, maker);
    return maker;
  };
  const complete: Hit<M>[] = [];
  for (const hit of hits) {
    const metadata = analysis.field === undefined ? undefined : JSON.stringify(hit.metadata);
    const language = languageOfDocument(analysis, () => hit.text, metadata);
    const snippet = await makerIn(language).snippetOf(hit.text, signal);
    const shown = hit.textFields === undefined ? {} : { textFields: fieldsIn(snippet, hit, analysis.layout) };
    complete.push({ ...hit, snippet: { ...snippet, ...shown } });
  }
  return complete;
}

/** The parts of fields that a snippet shows. */
function fieldsIn(
  { start, end, ranges }: Snippet,
  { text, textFields }: Pick<Hit, 'text' | 'textFields'>,
  layout: TextLayout | undefined,
): SnippetField[] {
  const read = readStored(layOut(textFields, layout, 'a hit', true));
  if (read?.text !== text) return [];
  return read.fields
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
