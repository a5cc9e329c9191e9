import { checkSearch } from './check-arguments.js';
import { SemanticIndexError } from './errors.js';
import { checkIds, documentOf } from './operations/checked-document.js';
import type { OperationContext } from './operations/context.js';
import { filterFor } from './operations/declared-fields.js';
import { listPage } from './operations/search/list-documents.js';
import type { Query } from './operations/search/query-vectors.js';
import { search, searchPage } from './operations/search/search.js';
import { SearchTrace } from './operations/search/search-trace.js';
import type { RecallMonitor } from './operations/tune/recall-monitor.js';
import {
  type CountOptions,
  countDefaults,
  describe,
  type Given,
  type ListOptions,
  listDefaults,
  type PageOptions,
  resolveOptions,
  type SearchOptions,
} from './options.js';
import type { PendingCalls } from './pending-calls.js';
import type { WhereOf } from './types/where-of.js';
import type {
  Document,
  DocumentId,
  DocumentPage,
  Hit,
  Metadata,
  SearchExplanation,
  SearchPage,
  Where,
} from './types.js';

/** What reading an index needs of it. */
export interface IndexParts {
  readonly context: OperationContext;
  readonly recall: RecallMonitor;
  readonly work: PendingCalls;
  /** That of `open`. */
  readonly searchK: number | undefined;
}

/** Options whose filter has the types of the metadata. */
export type TypedFilter<Options extends { where: Where | undefined }, M extends Metadata> = Omit<Options, 'where'> & {
  /** Only documents that match. Default: all. */
  where: WhereOf<M> | undefined;
};

/** What can be done with an index that does not change it: searching and reading documents. */
export class IndexReading<M extends Metadata = Metadata> {
  readonly #context: OperationContext;
  readonly #recall: RecallMonitor;
  readonly #work: PendingCalls;
  readonly #searchK: number | undefined;

  protected constructor({ context, recall, work, searchK }: IndexParts) {
    this.#context = context;
    this.#recall = recall;
    this.#work = work;
    this.#searchK = searchK;
  }

  /** The document with this id, or undefined. */
  async getDocument(id: DocumentId): Promise<Document<M> | undefined> {
    const [document] = await this.getDocuments([id]);
    return document;
  }

  /** The documents with these ids, in their order; undefined where there is none. */
  getDocuments(ids: readonly DocumentId[]): Promise<(Document<M> | undefined)[]> {
    return this.#work.run(async () => {
      const found = await this.#context.backend.byIds(checkIds('getDocuments', ids));
      return found.map((stored) => (stored === undefined ? undefined : documentOf<M>(stored)));
    });
  }

  /** The vectors of the documents with these ids, in their order; undefined where there is none. */
  getVectors(ids: readonly DocumentId[]): Promise<(Float32Array | undefined)[]> {
    return this.#work.run(async () => {
      const vectors: (Float32Array | undefined)[] = [];
      for (const id of checkIds('getVectors', ids)) vectors.push((await this.#context.backend.vectorOf(id))?.vector);
      return vectors;
    });
  }

  /**
   * The words of each text that the model of the index knows; see `EmbeddingProvider.knownWords`. Undefined for each text
   * where its provider does not declare them.
   *
   * @example
   * const [words] = await index.knownWords(['A parcel №5, посылка']);
   * @throws INVALID_ARGUMENT, SPACE_MISMATCH, MODEL_NOT_FOUND.
   */
  knownWords(texts: readonly string[]): Promise<readonly (string | undefined)[]> {
    return this.#work.run(async () => {
      if (!Array.isArray(texts) || texts.some((text) => typeof text !== 'string')) {
        throw new SemanticIndexError(
          'INVALID_ARGUMENT',
          `knownWords: expected an array of texts, got ${describe(texts)}`,
          {
            hint: 'Pass an array of strings.',
          },
        );
      }
      return this.#context.space.knownWords(texts);
    });
  }

  /** One page of the documents, oldest first. */
  listDocuments(options?: Given<TypedFilter<ListOptions, M>>): Promise<DocumentPage<M>> {
    return this.#work.run(async () => {
      return listPage<M>(this.#context.backend, resolveOptions('listDocuments', options, listDefaults));
    });
  }

  /** How many documents there are, or how many match. */
  count(options?: Given<TypedFilter<CountOptions, M>>): Promise<number> {
    return this.#work.run(async () => {
      const { where, signal } = resolveOptions('count', options, countDefaults);
      const { backend } = this.#context;
      return backend.count(where === undefined ? undefined : await filterFor(backend, where), signal);
    });
  }

  /**
   * The documents nearest to a text, a vector, or another document (which is left out itself), best first: always
   * min(k, matching documents) of them, unless `minScore` leaves some out.
   *
   * @throws INVALID_TEXT, INVALID_VECTOR, DIMENSION_MISMATCH, NOT_FOUND (no document has that id), INVALID_FILTER,
   *   PROVIDER_FAILED, PROVIDER_INVALID, UNKNOWN_OPTION.
   */
  async search(query: Query, options?: Given<TypedFilter<SearchOptions<Query, Hit<M>>, M>>): Promise<Hit<M>[]> {
    const [hits] = await this.searchMany([query], options);
    return hits as Hit<M>[];
  }

  /** The same as `search` for many queries at once, in their order; faster than one after the other. */
  searchMany(
    queries: readonly Query[],
    options?: Given<TypedFilter<SearchOptions<Query, Hit<M>>, M>>,
  ): Promise<Hit<M>[][]> {
    return this.#work.run(async () => {
      if (!Array.isArray(queries)) {
        throw new SemanticIndexError('INVALID_ARGUMENT', `searchMany: queries is ${describe(queries)}`);
      }
      return search<M>(this.#context, queries, await this.#settled(options));
    });
  }

  /**
   * Hits page by page: `next` of one page is `after` of the following, and no document comes twice. What is added or deleted
   * between two pages counts from then on; a document whose text changes is a new one. Ask with the same query and options.
   */
  searchPage(query: Query, given?: Given<TypedFilter<PageOptions<Query, Hit<M>>, M>>): Promise<SearchPage<M>> {
    return this.#work.run(async () => {
      const { after, ...options } = given ?? {};
      return searchPage<M>(this.#context, query, await this.#settled(options), after);
    });
  }

  /** Searches, and tells how: which parts were scanned or walked, how many were allowed, where the time went. */
  explain(query: Query, options?: Given<TypedFilter<SearchOptions<Query, Hit<M>>, M>>): Promise<SearchExplanation<M>> {
    return this.#work.run(async () => {
      const trace = new SearchTrace();
      const [hits] = await search<M>(this.#context, [query], await this.#settled(options), trace);
      const { segments: parts, matchingWords, milliseconds } = trace;
      return { hits: hits as Hit<M>[], exact: parts.every((part) => part.exact), parts, matchingWords, milliseconds };
    });
  }

  /** Options of a search, checked, and completed by what was tuned. */
  #settled(
    options: Given<TypedFilter<SearchOptions<Query, Hit<M>>, M>> | undefined,
  ): Promise<SearchOptions<Query, Hit<M>>> {
    return this.#recall.settle(checkSearch(options, this.#searchK));
  }
}
