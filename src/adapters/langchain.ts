import { Document, type DocumentInterface } from '@langchain/core/documents';
import { Embeddings, type EmbeddingsInterface, type EmbeddingsParams } from '@langchain/core/embeddings';
import { type MaxMarginalRelevanceSearchOptions, VectorStore } from '@langchain/core/vectorstores';
import {
  type DocumentId,
  type DocumentInput,
  type EmbeddingProvider,
  type Hit,
  type Metadata,
  type Query,
  type SearchOptions,
  SemanticIndex,
  type Where,
} from '../index.js';
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
  readonly #provider: EmbeddingProvider;

  constructor(provider: EmbeddingProvider, params: EmbeddingsParams = {}) {
    super(params);
    this.#provider = provider;
  }

  embedDocuments(texts: string[]): Promise<number[][]> {
    return this.caller.call(() => embedAll(this.#provider, texts, 'document'));
  }

  async embedQuery(text: string): Promise<number[]> {
    const [vector] = await this.caller.call(() => embedAll(this.#provider, [text], 'query'));
    return vector as number[];
  }
}

/** What a vector store is made of. */
export interface SemanticIndexStoreConfig {
  /** The index that holds the documents. Whoever opened it closes it. */
  readonly index: SemanticIndex;
  /** How texts are searched. Default `vector`, as the scores of LangChain's stores are similarities of vectors. */
  readonly mode?: SearchOptions['mode'];
}

/**
 * An index as LangChain's vector store. Texts are embedded by the index itself, which remembers what it has embedded; ids,
 * metadata and filters (`where`) are those of the index. Scores are large when good.
 */
export class SemanticIndexVectorStore extends VectorStore {
  declare FilterType: Where;
  readonly index: SemanticIndex;
  readonly #mode: SearchOptions['mode'];

  /** `embeddings` are those of the index: see `langchainProvider` and `ProviderEmbeddings`. */
  constructor(embeddings: EmbeddingsInterface, config: SemanticIndexStoreConfig) {
    super(embeddings, config);
    this.index = config.index;
    this.#mode = config.mode ?? 'vector';
  }

  _vectorstoreType(): string {
    return 'semantic-index';
  }

  /** Adds documents, or replaces those of the same id; returns their ids. */
  override addDocuments(documents: DocumentInterface[], options: { ids?: string[] } = {}): Promise<string[]> {
    return this.#add(documents.map((document, position) => inputOf(document, options.ids?.[position])));
  }

  /** The same, with vectors that are known. */
  override addVectors(
    vectors: number[][],
    documents: DocumentInterface[],
    options: { ids?: string[] } = {},
  ): Promise<string[]> {
    return this.#add(
      documents.map((document, position) => ({
        ...inputOf(document, options.ids?.[position]),
        vector: vectors[position] as number[],
      })),
    );
  }

  async #add(documents: DocumentInput[]): Promise<string[]> {
    const { ids } = await this.index.addDocuments(documents);
    return ids.map(String);
  }

  /** Deletes by ids, or all that match a filter. */
  override async delete({ ids, filter }: { ids?: DocumentId[]; filter?: Where }): Promise<void> {
    if (ids !== undefined) await this.index.deleteDocuments(ids);
    if (filter !== undefined) await this.index.deleteDocuments({ where: filter });
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
    const hits = await this.index.search(query, options);
    return hits.map((hit) => [documentOf(hit), hit.score]);
  }

  /** A store of these texts, in the index of `config`. */
  static override async fromTexts(
    texts: string[],
    metadatas: object[] | object,
    embeddings: EmbeddingsInterface,
    config: SemanticIndexStoreConfig,
  ): Promise<SemanticIndexVectorStore> {
    const documents = texts.map((pageContent, position) => {
      const metadata = Array.isArray(metadatas) ? metadatas[position] : metadatas;
      return new Document({ pageContent, metadata });
    });
    return SemanticIndexVectorStore.fromDocuments(documents, embeddings, config);
  }

  /** A store of these documents, in the index of `config`. */
  static override async fromDocuments(
    documents: DocumentInterface[],
    embeddings: EmbeddingsInterface,
    config: SemanticIndexStoreConfig,
  ): Promise<SemanticIndexVectorStore> {
    const store = new SemanticIndexVectorStore(embeddings, config);
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
    return new SemanticIndexVectorStore(embeddings, { index });
  }
}

function inputOf({ pageContent, metadata, id }: DocumentInterface, named: string | undefined): DocumentInput {
  const given = named ?? id;
  return {
    text: pageContent,
    ...(given === undefined ? {} : { id: given }),
    ...(Object.keys(metadata ?? {}).length === 0 ? {} : { metadata: metadata as Metadata }),
  };
}

function documentOf({ id, text, metadata }: Hit): Document {
  return new Document({ id: String(id), pageContent: text, metadata: { ...metadata } });
}
