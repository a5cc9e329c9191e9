/** How the token vectors of a text become one vector. */
export type Pooling = 'mean' | 'cls' | 'last';

/** Settings that a family of models was trained with. Other settings lower the quality without any error. */
export interface ModelFamily {
  readonly pooling: Pooling;
  readonly queryPrefix: string;
  readonly documentPrefix: string;
}

const plain: ModelFamily = { pooling: 'mean', queryPrefix: '', documentPrefix: '' };
const represent = 'Represent this sentence for searching relevant passages: ';
const instruct = 'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ';

/**
 * Defaults by model name, from the model cards; the first match wins. Names are compared without owner and in lower
 * case, so `Xenova/bge-small-en-v1.5` and a directory `bge-small-en-v1.5` are the same.
 */
const families: readonly (readonly [RegExp, Partial<ModelFamily>])[] = [
  [/^e5-mistral/, { pooling: 'last', queryPrefix: instruct }],
  [/^multilingual-e5-.*instruct/, { queryPrefix: instruct }],
  [/^(multilingual-)?e5-/, { queryPrefix: 'query: ', documentPrefix: 'passage: ' }],
  [/^bge-m3/, { pooling: 'cls' }],
  [/^bge-.*-zh/, { pooling: 'cls', queryPrefix: '为这个句子生成表示以用于检索相关文章：' }],
  [/^bge-/, { pooling: 'cls', queryPrefix: represent }],
  [/^gte-qwen/, { pooling: 'last', queryPrefix: instruct }],
  [/^gte-(.*-v1\.5|modernbert|multilingual)/, { pooling: 'cls' }],
  [/^gte-/, {}],
  [/^nomic-embed-text/, { queryPrefix: 'search_query: ', documentPrefix: 'search_document: ' }],
  [/^(snowflake-)?arctic-embed-.*v2/, { pooling: 'cls', queryPrefix: 'query: ' }],
  [/^(snowflake-)?arctic-embed/, { pooling: 'cls', queryPrefix: represent }],
  [/^mxbai-embed/, { pooling: 'cls', queryPrefix: represent }],
  [/^qwen3-embedding/, { pooling: 'last', queryPrefix: instruct.trimEnd() }],
  [/^embeddinggemma/, { queryPrefix: 'task: search result | query: ', documentPrefix: 'title: none | text: ' }],
];

/** The defaults for a model name or directory; mean pooling and no prefixes for an unknown model. */
export function familyOf(model: string): ModelFamily {
  const name = model.split(/[\\/]/).filter(Boolean).at(-1)?.toLowerCase() ?? '';
  const found = families.find(([pattern]) => pattern.test(name));
  return { ...plain, ...found?.[1] };
}
