import { BaseEmbedding } from '@llamaindex/core/embeddings';
import { type BaseNode, MetadataMode, TextNode } from '@llamaindex/core/schema';
import {
  BaseVectorStore,
  type MetadataFilter,
  type MetadataFilters,
  metadataDictToNode,
  nodeToMetadata,
  type VectorStoreQuery,
  VectorStoreQueryMode,
  type VectorStoreQueryResult,
} from '@llamaindex/core/vector-store';
import { embedAll } from '../embed/embed-all.js';
import {
  type EmbeddingProvider,
  type FieldConditions,
  type Metadata,
  type SemanticIndex,
  SemanticIndexError,
  type Where,
} from '../index.js';
import { jsonMetadata } from './foreign-documents.js';
import { type ForeignEmbeddings, foreignProvider } from './foreign-embeddings.js';

export type { ForeignEmbeddings } from './foreign-embeddings.js';

/** A LlamaIndex embedding model as a provider for an index. */
export function llamaindexProvider(embedding: BaseEmbedding, foreign: ForeignEmbeddings): EmbeddingProvider {
  const calls = {
    documents: (texts: string[]) => embedding.getTextEmbeddings(texts),
    query: (text: string) => embedding.getQueryEmbedding({ type: 'text', text }),
  };
  return foreignProvider(calls, foreign);
}

/** A provider, such as the bundled model, as a LlamaIndex embedding model. */
export class ProviderEmbedding extends BaseEmbedding {
  readonly #provider: EmbeddingProvider;

  /** The caller owns the provider and must close it. */
  constructor(provider: EmbeddingProvider) {
    super();
    this.#provider = provider;
    this.embedBatchSize = provider.maxBatchSize ?? 64;
    this.getTextEmbeddings = (texts) => embedAll(provider, texts, 'document');
  }

  /** Returns the vector of a text, embedded as a document. */
  async getTextEmbedding(text: string): Promise<number[]> {
    const [vector] = await embedAll(this.#provider, [text], 'document');
    return vector as number[];
  }

  /** Returns the vector of a text, embedded as a query; null for queries that are not text. */
  override async getQueryEmbedding(query: Parameters<BaseEmbedding['getQueryEmbedding']>[0]): Promise<number[] | null> {
    if (query.type !== 'text') return null;
    const [vector] = await embedAll(this.#provider, [query.text], 'query');
    return vector as number[];
  }
}

/**
 * An index as a LlamaIndex vector store. Nodes already have vectors, so the index needs a provider only for `hybrid`
 * queries. Filters are converted to `where`.
 */
export class SemanticIndexVectorStore extends BaseVectorStore<SemanticIndex> {
  /** The store keeps the texts of nodes. */
  storesText = true;
  readonly #index: SemanticIndex;

  /** The caller owns the index and must close it. `embedModel` embeds queries; default: the LlamaIndex settings. */
  constructor(index: SemanticIndex, options: { readonly embedModel?: BaseEmbedding } = {}) {
    super({ embedModel: options.embedModel });
    this.#index = index;
  }

  /** Returns the index. */
  client(): SemanticIndex {
    return this.#index;
  }

  /**
   * Adds nodes, or replaces those with the same id, and returns their ids.
   *
   * @throws the errors of `addDocuments`.
   */
  async add(nodes: BaseNode[]): Promise<string[]> {
    const { ids } = await this.#index.addDocuments(
      nodes.map((node) => ({
        id: node.id_,
        text: node.getContent(MetadataMode.NONE),
        vector: embeddingOf(node),
        metadata: jsonMetadata(nodeToMetadata(node, true)),
      })),
    );
    return ids.map(String);
  }

  /** Deletes all nodes of a document. */
  async delete(refDocId: string): Promise<void> {
    await this.#index.deleteDocuments({ where: { ref_doc_id: refDocId } });
  }

  /**
   * Returns the nodes that match a query best. Supports the modes `default`, `hybrid`, `sparse` and `mmr`.
   *
   * @throws UNSUPPORTED for other modes and operators, and the errors of `search`.
   */
  async query(query: VectorStoreQuery): Promise<VectorStoreQueryResult> {
    const { queryEmbedding, queryStr, similarityTopK, mode, mmrThreshold = 0.5, filters, docIds } = query;
    const where = whereOf(filters, docIds);
    const byWords = mode === VectorStoreQueryMode.HYBRID || mode === VectorStoreQueryMode.SEMANTIC_HYBRID;
    const bySparse = mode === VectorStoreQueryMode.SPARSE;
    if (!byWords && !bySparse && mode !== VectorStoreQueryMode.DEFAULT && mode !== VectorStoreQueryMode.MMR) {
      throw new SemanticIndexError('UNSUPPORTED', `The query mode ${mode} is not supported`, {
        hint: 'Use default, hybrid, sparse or mmr.',
      });
    }
    const asked = byWords || bySparse ? queryStr : (queryEmbedding ?? queryStr);
    if (asked === undefined) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        'Expected a query with the text or the vector that its mode needs, got neither',
      );
    }
    const { hits } = await this.#index.search(asked, {
      k: similarityTopK,
      where,
      mode: bySparse ? 'text' : byWords ? 'hybrid' : 'vector',
      diversity: mode === VectorStoreQueryMode.MMR ? 1 - mmrThreshold : 0,
    });
    return {
      ids: hits.map(({ id }) => String(id)),
      similarities: hits.map(({ score }) => score),
      nodes: hits.map(({ id, text, metadata }) => nodeOf(String(id), text, metadata)),
    };
  }
}

function embeddingOf(node: BaseNode): number[] {
  if (node.embedding !== undefined) return node.embedding;
  throw new SemanticIndexError('INVALID_VECTOR', `The node ${node.id_} has no embedding`, {
    hint: 'Let LlamaIndex embed the nodes before they are added, as VectorStoreIndex does.',
  });
}

/** Documents from other sources become nodes with their text and metadata. */
function nodeOf(id: string, text: string, metadata: Metadata): BaseNode {
  const known = '_node_content' in metadata;
  const node = known ? metadataDictToNode({ ...metadata }) : new TextNode({ id_: id, metadata: { ...metadata } });
  if (node instanceof TextNode) node.setContent(text);
  return node;
}

const operators: Partial<Record<MetadataFilter['operator'], keyof FieldConditions>> = {
  '==': '$eq',
  '!=': '$ne',
  '>': '$gt',
  '>=': '$gte',
  '<': '$lt',
  '<=': '$lte',
  in: '$in',
  nin: '$nin',
  contains: '$contains',
  text_match: '$contains',
};

function conditionOf({ key, value, operator }: MetadataFilter): Where {
  const values = Array.isArray(value) ? value : [value];
  if (operator === 'is_empty') return { $or: [{ [key]: null }, { [key]: '' }] };
  // The index refuses a missing value: as null it would match documents without the field.
  if (operator === 'any') return { $or: values.map((one) => ({ [key]: { $contains: one as string } })) };
  if (operator === 'all') return { [key]: { $all: values as string[] } };
  const name = operators[operator];
  if (name === undefined)
    throw new SemanticIndexError('UNSUPPORTED', `The filter operator ${operator} is not supported`);
  return { [key]: { [name]: value } as FieldConditions };
}

function whereOf(filters: MetadataFilters | undefined, documents: string[] | undefined): Where | undefined {
  const conditions: Where[] = [];
  if (documents !== undefined && documents.length > 0) conditions.push({ ref_doc_id: { $in: documents } });
  if (filters !== undefined && filters.filters.length > 0) {
    const each = filters.filters.map(conditionOf);
    conditions.push(filters.condition === 'or' ? { $or: each } : { $and: each });
  }
  return conditions.length === 0 ? undefined : { $and: conditions };
}
