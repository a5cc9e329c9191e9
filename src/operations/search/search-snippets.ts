import { analyzeDocument, analyzeQuery } from '../../analysis/analyze.js';
import { estimateTokens } from '../../embed/estimate-tokens.js';
import type { ResolvedSearchOptions } from '../../options.js';
import { type SimilarityOf, SnippetMaker } from '../../snippets/snippet-maker.js';
import type { Hit, Metadata, Query } from '../../types.js';
import type { OperationContext } from '../context.js';

/** The hits of a query with their snippets, if the search has them. */
export async function withSnippets<M extends Metadata>(
  { space }: OperationContext,
  query: Query,
  hits: Hit<M>[],
  { snippet, signal }: Pick<ResolvedSearchOptions<M>, 'snippet' | 'signal'>,
): Promise<Hit<M>[]> {
  if (snippet === undefined || hits.length === 0) return hits;
  const text = typeof query === 'string' ? query : undefined;
  const compared = space.comparesLocally ? comparable(query) : undefined;
  const similarityOf: SimilarityOf | undefined =
    compared === undefined ? undefined : (texts) => space.similarities(compared, texts, signal);
  const terms = text === undefined ? [] : analyzeQuery(text).terms;
  const maker = new SnippetMaker(
    { terms, termsOf: (part) => analyzeDocument(part).terms.keys(), similarityOf },
    { ...snippet, countTokens: snippet.countTokens ?? estimateTokens },
  );
  const complete: Hit<M>[] = [];
  for (const hit of hits) complete.push({ ...hit, snippet: await maker.snippetOf(hit.text, signal) });
  return complete;
}

/** The query as texts are compared with it; undefined for the id of a document. */
function comparable(query: Query): string | Float32Array | undefined {
  if (typeof query === 'string' || query instanceof Float32Array) return query;
  return 'id' in query ? undefined : Float32Array.from(query);
}
