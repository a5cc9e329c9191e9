import { Document, type DocumentInterface } from '@langchain/core/documents';
import { Embeddings, type EmbeddingsInterface, type EmbeddingsParams } from '@langchain/core/embeddings';
import { type MaxMarginalRelevanceSearchOptions, VectorStore } from '@langchain/core/vectorstores';
import { embedAll } from '../embed/embed-all.js';
import {
  type DocumentId,
  type DocumentInput,
  type EmbeddingProvider,
  type Hit,
  type Query,
  type SearchOptions,
  SemanticIndex,
  SemanticIndexError,
  type Where,
} from '../index.js';
import { resolveOptions } from '../options/resolve-options.js';
import { jsonMetadata } from './foreign-documents.js';
import { type ForeignEmbeddings, foreignProvider } from './foreign-embeddings.js';

export type { ForeignEmbeddings } from './foreign-embeddings.js';

/** LangChain embeddings as a provider for an index. LangChain retries failed calls according to its own settings. */
export function langchainProvider(embeddings: EmbeddingsInterface, foreign: ForeignEmbeddings): EmbeddingProvider {
  const calls = {
    documents: (texts: string[]) => embeddings.embedDocuments(texts),
    query: (text: string) => embeddings.embedQuery(text),
  };
  return foreignProvider(calls, foreign);
}

/** A provider, such as the bundled model, as LangChain embeddings. */
export class ProviderEmbeddings extends Embeddings {
  /** The provider that embeds. The caller owns it and must close it. */
  readonly provider: EmbeddingProvider;

  /** `params` are the settings of LangChain for concurrency and retries. */
  constructor(provider: EmbeddingProvider, params: EmbeddingsParams = {}) {
    super(params);
    this.provider = provider;
  }

  /** Returns the vectors of texts, embedded as documents. */
  embedDocuments(texts: string[]): Promise<number[][]> {
    return this.caller.call(() => embedAll(this.provider, texts, 'document'));
  }

  /** Returns the vector of a text, embedded as a query. */
  async embedQuery(text: string): Promise<number[]> {
    const [vector] = await this.caller.call(() => embedAll(this.provider, [text], 'query'));
    return vector as number[];
  }
}

/** Options of a vector store. */
export interface SemanticIndexStoreConfig {
  /** The index that holds the documents. The caller owns it and must close it. */
  readonly index: SemanticIndex;
  /** Search mode. Default `vector`, because LangChain expects vector similarities as scores. */
  readonly mode?: SearchOptions['mode'];
  /**
   * What else searches for texts do: `rerank`, `boost`, `groupBy`, `minScore`, `vectorWeight`, `syntax`, `typos`, `exact`, and so on.
   * Searches for vectors take those that need no text. Default: nothing else.
   */
  readonly search?: StoreSearchOptions;
}

/** Options of `search` that a vector store does not set itself. */
export type StoreSearchOptions = Omit<
  SearchOptions,
  'k' | 'where' | 'mode' | 'diversity' | 'after' | 'facets' | 'explain' | 'snippet' | 'signal'
>;

/** Options for `delete`: ids, a filter, or both. */
export interface StoreDeletion {
  /** Ids as the store returned them. */
  readonly ids?: DocumentId[];
  /** Delete all documents that match. */
  readonly filter?: Where;
}

const configDefaults = {
  index: undefined as SemanticIndex | undefined,
  mode: 'vector' as NonNullable<SearchOptions['mode']>,
  search: undefined as StoreSearchOptions | undefined,
};
const deletionDefaults = { ids: undefined as DocumentId[] | undefined, filter: undefined as Where | undefined };

/**
 * An index as a LangChain vector store. The index embeds texts, and never embeds the same text twice. Ids, metadata and
 * filters (`where`) are those of the index. Higher scores are better.
 *
 * LangChain ids are strings: `"7"` refers to the document with the number `7`, unless a document with the id `"7"`
 * exists. Metadata is converted to JSON: a `Date` or `URL` becomes a string, a class instance a plain object.
 *
 * @example
 * const store = await SemanticIndexVectorStore.open('my-index', embeddings, { id: 'openai/text-embedding-3-small' });
 * await store.addDocuments(pages);
 * const retriever = store.asRetriever({ k: 5, filter: { lang: 'en' } });
 */
export class SemanticIndexVectorStore extends VectorStore {
  /** The type of filters: conditions on metadata, as in `where` of `search`. */
  declare FilterType: Where;
  /** The index that holds the documents. */
  readonly index: SemanticIndex;
  readonly #mode: SearchOptions['mode'];
  readonly #searchOptions: StoreSearchOptions;
  #checked: Promise<void> | undefined;

  /**
   * `embeddings` must be those of the index (`langchainProvider`, `ProviderEmbeddings`); the first call compares their
   * vectors.
   *
   * @throws INVALID_ARGUMENT without an index, UNKNOWN_OPTION for another member of `config`.
   */
  constructor(embeddings: EmbeddingsInterface, config: SemanticIndexStoreConfig) {
    super(embeddings, config ?? {});
    if (!(config?.index instanceof SemanticIndex)) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'SemanticIndexVectorStore: expected { index: SemanticIndex }', {
        hint: 'Open one with `SemanticIndex.open`, or use `SemanticIndexVectorStore.open(folder, embeddings, { id })`.',
      });
    }
    this.index = config.index;
    const { mode, search = {} } = resolveOptions('SemanticIndexVectorStore', config, configDefaults);
    this.#mode = mode;
    this.#searchOptions = search;
  }

  _vectorstoreType(): string {
    return 'semantic-index';
  }

  /**
   * Adds documents, or replaces those with the same id. Documents without text, such as blank pages, are skipped.
   * Returns the ids of the added documents, in order.
   *
   * @throws INVALID_ARGUMENT when the number of ids differs from that of the documents, and the errors of
   * `addDocuments`.
   */
  override async addDocuments(documents: DocumentInterface[], options: { ids?: string[] } = {}): Promise<string[]> {
    checkCount('ids', options.ids, documents);
    const inputs = documents.map((document, position) => inputOf(document, options.ids?.[position]));
    return this.#add(inputs.filter(({ text }) => typeof text !== 'string' || text.trim() !== ''));
  }

  /**
   * Adds documents with existing vectors.
   *
   * @throws INVALID_ARGUMENT when the number of vectors or ids differs from that of the documents, and the errors of
   * `addDocuments`.
   */
  override async addVectors(
    vectors: number[][],
    documents: DocumentInterface[],
    options: { ids?: string[] } = {},
  ): Promise<string[]> {
    checkCount('vectors', vectors, documents);
    checkCount('ids', options.ids, documents);
    return this.#add(
      documents.map((document, position) => ({
        ...inputOf(document, options.ids?.[position]),
        vector: vectors[position] as number[],
      })),
    );
  }

  async #add(documents: DocumentInput[]): Promise<string[]> {
    await this.#checkEmbeddings();
    const named = documents.flatMap(({ id }) => (id === undefined ? [] : [id]));
    const known = await this.#resolved(named);
    const { ids } = await this.index.addDocuments(
      documents.map((document) =>
        document.id === undefined ? document : { ...document, id: known.get(document.id) ?? document.id },
      ),
    );
    return ids.map(String);
  }

  /**
   * Deletes documents by ids, or all that match a filter.
   *
   * @throws INVALID_ARGUMENT without ids and filter, UNKNOWN_OPTION for another member, and the errors of
   * `deleteDocuments`.
   */
  override async delete(options: StoreDeletion): Promise<void> {
    if (typeof options !== 'object' || options === null || Array.isArray(options)) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'delete: expected { ids } or { filter }', {
        hint: 'Pass ids as `delete({ ids })`.',
      });
    }
    const { ids, filter } = resolveOptions('delete', options, deletionDefaults);
    if (ids === undefined && filter === undefined) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'delete: expected ids or a filter, got neither');
    }
    if (ids !== undefined) {
      const known = await this.#resolved(ids);
      await this.index.deleteDocuments(ids.map((id) => known.get(id) ?? id));
    }
    if (filter !== undefined) await this.index.deleteDocuments({ where: filter });
  }

  /** Maps strings that are not ids of the index to numeric ids. */
  async #resolved(ids: readonly DocumentId[]): Promise<Map<DocumentId, DocumentId>> {
    const numeric = ids.filter(isIntegerText);
    if (numeric.length === 0) return new Map();
    const asStrings = await this.index.getDocuments(numeric);
    const asNumbers = await this.index.getDocuments(numeric.map(Number));
    return new Map(
      numeric.flatMap((id, place): [DocumentId, DocumentId][] =>
        asStrings[place] === undefined && asNumbers[place] !== undefined ? [[id, Number(id)]] : [],
      ),
    );
  }

  /** Checks once that `embeddings` return the vectors of the index; otherwise a search would compare two models. */
  #checkEmbeddings(): Promise<void> {
    this.#checked ??= this.#compareEmbeddings().catch((error: unknown) => {
      this.#checked = undefined;
      throw error;
    });
    return this.#checked;
  }

  async #compareEmbeddings(): Promise<void> {
    const { dimensions: expected, provider } = await this.index.stats();
    const { embeddings } = this;
    if (embeddings instanceof ProviderEmbeddings && embeddings.provider.id === provider) return;
    if (expected === undefined) return;
    const actual = (await embeddings.embedQuery('text')).length;
    if (actual === expected) return;
    throw new SemanticIndexError(
      'DIMENSION_MISMATCH',
      `The embeddings of the store have ${actual} dimensions, those of its index ${expected}`,
      { hint: 'Open the index with `langchainProvider(embeddings, { id })`.', details: { expected, actual } },
    );
  }

  /** Returns the `k` documents nearest to a vector, with their scores. */
  override async similaritySearchVectorWithScore(
    query: number[],
    k: number,
    filter?: this['FilterType'],
  ): Promise<[Document, number][]> {
    return this.#search(query, { k, where: filter });
  }

  /** Returns the `k` documents that match a text best, with their scores. */
  override async similaritySearchWithScore(
    query: string,
    k = 4,
    filter: this['FilterType'] | undefined = undefined,
  ): Promise<[Document, number][]> {
    return this.#search(query, { k, where: filter, mode: this.#mode });
  }

  /** Returns the `k` documents that match a text best. */
  override async similaritySearch(
    query: string,
    k = 4,
    filter: this['FilterType'] | undefined = undefined,
  ): Promise<Document[]> {
    return (await this.similaritySearchWithScore(query, k, filter)).map(([document]) => document);
  }

  /**
   * Returns `k` documents that match a text and differ from each other (maximal marginal relevance).
   *
   * `lambda` ranges from 0 (most diverse) to 1 (most relevant). Default 0.5. The index chooses `fetchK`.
   */
  override async maxMarginalRelevanceSearch(
    query: string,
    { k, lambda = 0.5, filter }: MaxMarginalRelevanceSearchOptions<this['FilterType']>,
  ): Promise<Document[]> {
    const found = await this.#search(query, { k, where: filter, mode: this.#mode, diversity: 1 - lambda });
    return found.map(([document]) => document);
  }

  async #search(query: Query, options: Partial<SearchOptions>): Promise<[Document, number][]> {
    await this.#checkEmbeddings();
    const { boost, groupBy, groupSize, minScore, exact, searchK } = this.#searchOptions;
    const others =
      typeof query === 'string' ? this.#searchOptions : { boost, groupBy, groupSize, minScore, exact, searchK };
    const { hits } = await this.index.search(query, { ...others, ...options });
    return hits.map((hit) => [documentOf(hit), hit.score]);
  }

  /**
   * Adds texts to the index of `config`, or to a new index in memory, and returns the store.
   *
   * @throws INVALID_ARGUMENT when the number of metadata objects differs from that of the texts.
   */
  static override async fromTexts(
    texts: string[],
    metadatas: object[] | object,
    embeddings: EmbeddingsInterface,
    config?: Partial<SemanticIndexStoreConfig>,
  ): Promise<SemanticIndexVectorStore> {
    if (Array.isArray(metadatas)) checkCount('metadatas', metadatas, texts);
    const documents = texts.map((pageContent, position) => {
      const metadata = Array.isArray(metadatas) ? metadatas[position] : metadatas;
      return new Document({ pageContent, metadata });
    });
    return SemanticIndexVectorStore.fromDocuments(documents, embeddings, config);
  }

  /** Adds documents to the index of `config`, or to a new index in memory, and returns the store. */
  static override async fromDocuments(
    documents: DocumentInterface[],
    embeddings: EmbeddingsInterface,
    config?: Partial<SemanticIndexStoreConfig>,
  ): Promise<SemanticIndexVectorStore> {
    const store = new SemanticIndexVectorStore(embeddings, {
      ...config,
      index: config?.index ?? (await inMemory(embeddings)),
    });
    await store.addDocuments(documents);
    return store;
  }

  /** Opens an index with LangChain embeddings as a store. Close it with `store.index.close()`. */
  static async open(
    folder: string,
    embeddings: EmbeddingsInterface,
    foreign: ForeignEmbeddings,
  ): Promise<SemanticIndexVectorStore> {
    const index = await SemanticIndex.open(folder, { provider: langchainProvider(embeddings, foreign) });
    const store = new SemanticIndexVectorStore(embeddings, { index });
    store.#checked = Promise.resolve();
    return store;
  }
}

function inMemory(embeddings: EmbeddingsInterface): Promise<SemanticIndex> {
  const provider =
    embeddings instanceof ProviderEmbeddings ? embeddings.provider : langchainProvider(embeddings, { id: 'langchain' });
  return SemanticIndex.open(':memory:', { provider });
}

/** Whether a string is the string form of an integer id. */
function isIntegerText(id: DocumentId): id is string {
  return typeof id === 'string' && Number.isSafeInteger(Number(id)) && String(Number(id)) === id;
}

function checkCount(name: string, values: readonly unknown[] | undefined, documents: readonly unknown[]): void {
  if (values === undefined || values.length === documents.length) return;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `Expected as many ${name} as documents: ${documents.length}, got ${values.length}`,
  );
}

function inputOf({ pageContent, metadata, id }: DocumentInterface, named: string | undefined): DocumentInput {
  const documentId = named ?? id;
  const json = jsonMetadata(metadata);
  return {
    text: pageContent,
    ...(documentId === undefined ? {} : { id: documentId }),
    ...(Object.keys(json).length === 0 ? {} : { metadata: json }),
  };
}

function documentOf({ id, text, metadata }: Hit): Document {
  return new Document({ id: String(id), pageContent: text, metadata: { ...metadata } });
}
