import { type DocumentId, type Metadata, type SemanticIndex, SemanticIndexError, type Where } from '../../index.js';
import { describe } from '../../options.js';
import type { AnswerBudget } from './answer-budget.js';

/** A source: a file whose chunks are in the index. */
export interface ListedSource {
  readonly source: string;
  /** Number of its chunks. */
  readonly documents: number;
}

/** A document that is not a chunk. */
export interface ListedDocument {
  readonly id: DocumentId;
  /** The beginning of its text. */
  readonly begin: string;
  readonly characters: number;
  readonly metadata: Metadata;
  readonly omitted?: readonly string[];
}

/** The answer of the tool `list`. */
export interface ListAnswer {
  readonly sources?: readonly ListedSource[];
  readonly documents?: readonly ListedDocument[];
  /** Sources that match, on all pages. */
  readonly total?: number;
  readonly next?: string;
}

/** What `list` lists. */
export interface ListRequest {
  readonly of: 'sources' | 'documents' | undefined;
  readonly where: Where | undefined;
  /** Begin of the names of sources. */
  readonly prefix: string | undefined;
  readonly after: string | undefined;
  readonly signal: AbortSignal;
}

const maxSources = 1_000_000;
const tokensOfMetadata = 100;
const beginCharacters = 120;
const documentsPerPage = 100;

/**
 * Lists sources by name, or documents that are not chunks by age; a page ends where the budget does. Default: sources, if there are
 * any.
 */
export async function listAnswer(
  index: SemanticIndex,
  request: ListRequest,
  budget: AnswerBudget,
): Promise<ListAnswer> {
  if (request.of === 'documents') return listDocuments(index, request, budget);
  const sources = await sourcesOf(index, request);
  if (request.of === undefined && sources.length === 0 && request.prefix === undefined) {
    return listDocuments(index, request, budget);
  }
  return listSources(sources, request, budget);
}

/** The sources of chunks that match, by name. */
export async function sourcesOf(
  index: SemanticIndex,
  { where, prefix = '', signal }: Pick<ListRequest, 'where' | 'prefix' | 'signal'>,
): Promise<ListedSource[]> {
  if ((await index.count({ where: { chunk: { $exists: true } }, signal })) === 0) return [];
  const isChunk: Where = { $and: [{ 'chunk.start': { $exists: true } }, where ?? {}] };
  const { facets } = await index.facets({ fields: { source: { limit: maxSources } }, where: isChunk, signal });
  return (facets.source?.counts ?? [])
    .flatMap(({ value, count }) => (typeof value === 'string' ? [{ source: value, documents: count }] : []))
    .filter(({ source }) => source.startsWith(prefix))
    .sort((a, b) => (a.source < b.source ? -1 : 1));
}

function listSources(all: readonly ListedSource[], { after }: ListRequest, budget: AnswerBudget): ListAnswer {
  const last = after === undefined ? undefined : decoded(after);
  const rest = last === undefined ? all : all.filter(({ source }) => source > last);
  const total = all.length;
  const longest = rest.reduce((length, { source }) => Math.max(length, source.length), 0);
  const next = encoded('x'.repeat(longest));
  const sources = budget.firstThatFit(rest, { sources: [], total, next });
  const answer = (): ListAnswer => {
    const end = sources.at(-1);
    const hasMore = sources.length < rest.length && end !== undefined;
    return { sources, total, ...(hasMore && { next: encoded(end.source) }) };
  };
  while (sources.length > 1 && !budget.holds(answer())) sources.pop();
  if (!budget.holds(answer()) || (sources.length === 0 && rest.length > 0)) budget.refuse('The name of a source');
  return answer();
}

async function listDocuments(
  index: SemanticIndex,
  { where, after, signal }: ListRequest,
  budget: AnswerBudget,
): Promise<ListAnswer> {
  const others: Where = { $and: [{ 'chunk.start': { $exists: false } }, where ?? {}] };
  for (let limit = documentsPerPage; ; ) {
    const page = await index.listDocuments({ where: others, limit, after, signal });
    const listed = page.documents.map(({ id, text, metadata }): ListedDocument => {
      const begin = text.slice(0, beginCharacters).replace(/\s+/g, ' ').trim();
      return { id, begin, characters: text.length, ...budget.metadata(metadata, tokensOfMetadata) };
    });
    const next = page.next === undefined ? {} : { next: page.next };
    const documents = budget.firstThatFit(listed, { documents: [], next: page.next ?? 'zzzzzzzzz' });
    if (documents.length === listed.length) return { documents, ...next };
    if (limit === 1) return budget.refuse('A document');
    // The cursor of a shorter page.
    limit = Math.max(1, documents.length);
  }
}

function encoded(source: string): string {
  return Buffer.from(source).toString('base64url');
}

function decoded(cursor: string): string {
  const source = Buffer.from(cursor, 'base64url').toString();
  if (encoded(source) === cursor) return source;
  throw new SemanticIndexError('INVALID_ARGUMENT', `list: expected a cursor as after, got ${describe(cursor)}`, {
    hint: 'Pass next of the previous page.',
  });
}
