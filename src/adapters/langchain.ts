import { Document, type DocumentInterface } from '@langchain/core/documents';
import { Embeddings, type EmbeddingsInterface, type EmbeddingsParams } from '@langchain/core/embeddings';
import { type MaxMarginalRelevanceSearchOptions, VectorStore } from '@langchain/core/vectorstores';
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
import { jsonMetadata, refuseUnknownMembers } from './foreign-documents.js';
import { embedAll, type ForeignEmbeddings, foreignProvider } from './foreign-embeddings.js';

export type { ForeignEmbeddings } from './foreign-embeddings.js';

/** LangChain's embeddings as a provider for an index. Calls that fail are tried again by LangChain, as it is set up to. */
export function langchainProvider(embeddings: EmbeddingsInterface, foreign: ForeignEmbeddings): EmbeddingProvider {
  const calls = {
    documents: (texts: string[]) => embeddings.embedDocuments(texts),
    query: (text: string) => embeddings.embedQuery(text),
  };
  return foreignProvider(calls, foreign);
}

/** A provider, such as the bundled model, as LangChain's embeddings. */
export class ProviderEmbeddings extends Embeddings {
  readonly provider: EmbeddingProvider;

  constructor(provider: EmbeddingProvider, params: EmbeddingsParams = {}) {
    super(params);
    this.provider = provider;
  }

  embedDocuments(texts: string[]): Promise<number[][]> {
    return this.caller.call(() => embedAll(this.provider, texts, 'document'));
  }

  async embedQuery(text: string): Promise<number[]> {
    const [vector] = await this.caller.call(() => embedAll(this.provider, [text], 'query'));
    return vector as number[];
  }
}

/** Options of a vector store. */
export interface SemanticIndexStoreConfig {
  /** The index that holds the documents. The caller owns it and must close it. */
  readonly index: SemanticIndex;
  /** How texts are searched. Default `vector`, as the scores of LangChain's stores are similarities of vectors. */
  readonly mode?: SearchOptions['mode'];
}

/** Options of `delete`: ids, a filter, or both. */
export interface StoreDeletion {
  /** Ids as the store returned them. */
  readonly ids?: DocumentId[];
  /** Delete all documents that match. */
  readonly filter?: Where;
}

const configMembers = ['index', 'mode'];
const deletionMembers = ['ids', 'filter'];

/**
 * An index as LangChain's vector store. Texts are embedded by the index, which never embeds the same text twice; ids, metadata
 * and filters (`where`) are those of the index. A higher score is better.
 *
 * LangChain's ids are strings. Where the index has a document under the number `7` and none under `"7"`, the id `"7"` names that
 * document. Metadata is stored as JSON has it: a `Date` or `URL` becomes a string, an instance of a class a plain object.
 *
 * @example
 * const store = await SemanticIndexVectorStore.open('my-index', embeddings, { id: 'openai/text-embedding-3-small' });
 * await store.addDocuments(pages);
 * const retriever = store.asRetriever({ k: 5, filter: { lang: 'en' } });
 */
export class SemanticIndexVectorStore extends VectorStore {
  declare FilterType: Where;
  readonly index: SemanticIndex;
  readonly #mode: SearchOptions['mode'];
  #checked: Promise<void> | undefined;

  /**
   * `embeddings` must be those of the index (`langchainProvider`, `ProviderEmbeddings`): the first call compares them.
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
    refuseUnknownMembers('SemanticIndexVectorStore', config, configMembers);
    this.index = config.index;
    this.#mode = config.mode ?? 'vector';
  }

  _vectorstoreType(): string {
    return 'semantic-index';
  }

  /**
   * Adds documents, or replaces those with the same id. Documents without text, such as blank pages, are left out. Returns the
   * ids of the documents that are in the index, in their order.
   *
   * @throws INVALID_ARGUMENT when the number of ids differs from that of the documents, and the errors of `addDocuments`.
   */
  override async addDocuments(documents: DocumentInterface[], options: { ids?: string[] } = {}): Promise<string[]> {
    checkCount('ids', options.ids, documents);
    const inputs = documents.map((document, position) => inputOf(document, options.ids?.[position]));
    return this.#add(inputs.filter(({ text }) => typeof text !== 'string' || text.trim() !== ''));
  }

  /**
   * Adds documents with vectors that are known.
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
   * @throws INVALID_ARGUMENT without ids and filter, UNKNOWN_OPTION for another member, and the errors of `deleteDocuments`.
   */
  override async delete(options: StoreDeletion): Promise<void> {
    if (typeof options !== 'object' || options === null || Array.isArray(options)) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'delete: expected { ids } or { filter }', {
        hint: 'Pass ids as `delete({ ids })`.',
      });
    }
    refuseUnknownMembers('delete', options, deletionMembers);
    const { ids, filter } = options;
    if (ids === undefined && filter === undefined) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'delete: expected ids or a filter, got neither');
    }
    if (ids !== undefined) {
      const known = await this.#resolved(ids);
      await this.index.deleteDocuments(ids.map((id) => known.get(id) ?? id));
    }
    if (filter !== undefined) await this.index.deleteDocuments({ where: filter });
  }

  /** The numeric ids that strings name, for those strings that are not ids of the index themselves. */
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

  /** Once: the vectors of `embeddings` must be those of the index, or a search by vector would compare two models. */
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

  override async similaritySearchVectorWithScore(
    query: number[],
    k: number,
    filter?: this['FilterType'],
  ): Promise<[Document, number][]> {
    return this.#search(query, { k, where: filter });
  }

  override async similaritySearchWithScore(
    query: string,
    k = 4,
    filter: this['FilterType'] | undefined = undefined,
  ): Promise<[Document, number][]> {
    return this.#search(query, { k, where: filter, mode: this.#mode });
  }

  override async similaritySearch(
    query: string,
    k = 4,
    filter: this['FilterType'] | undefined = undefined,
  ): Promise<Document[]> {
    return (await this.similaritySearchWithScore(query, k, filter)).map(([document]) => document);
  }

  /** `lambda` from 0, unlike each other, to 1, the best ones. Default 0.5. `fetchK` is chosen by the index. */
  override async maxMarginalRelevanceSearch(
    query: string,
    { k, lambda = 0.5, filter }: MaxMarginalRelevanceSearchOptions<this['FilterType']>,
  ): Promise<Document[]> {
    const found = await this.#search(query, { k, where: filter, mode: this.#mode, diversity: 1 - lambda });
    return found.map(([document]) => document);
  }

  async #search(query: Query, options: Partial<SearchOptions>): Promise<[Document, number][]> {
    await this.#checkEmbeddings();
    const hits = await this.index.search(query, options);
    return hits.map((hit) => [documentOf(hit), hit.score]);
  }

  /**
   * A store of these texts, in the index of `config`; without one, in an index in memory.
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

  /** A store of these documents, in the index of `config`; without one, in an index in memory. */
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

  /** Opens the index in a folder with LangChain's embeddings, as a store. `close` of its `index` closes it. */
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

/** Whether a string is how LangChain shows an integer id. */
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
  const given = named ?? id;
  const json = jsonMetadata(metadata);
  return {
    text: pageContent,
    ...(given === undefined ? {} : { id: given }),
    ...(Object.keys(json).length === 0 ? {} : { metadata: json }),
  };
}

function documentOf({ id, text, metadata }: Hit): Document {
  return new Document({ id: String(id), pageContent: text, metadata: { ...metadata } });
}
