/** Options that were renamed or removed, by method and old name. Kept for one release. */
const options: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'SemanticIndex.open': {
    trees: 'ann.trees',
    searchK: 'ann.searchK',
    sealAt: 'ann.sealAt',
    seed: 'ann.seed',
    threads: 'ann.threads',
    loadMode: 'ann.loadMode',
    background: 'ann.background',
    embeddingCache: 'cache.embeddings',
    embeddingCacheBytes: 'cache.embeddingsMaxBytes',
    queryCache: 'cache.queries',
    durability: 'storage.durability',
    busyTimeout: 'storage.busyTimeout',
  },
  addDocuments: { duplicateThreshold: 'threshold' },
  tune: { targetRecall: 'recall' },
  Retriever: { duplicateThreshold: 'threshold' },
};

/** Methods that were renamed or removed, by class, with the call that replaces them. Kept for one release. */
export const renamedMethods = {
  SemanticIndex: {
    searchPage: 'search(query, { after })',
    explain: 'search(query, { explain: true })',
    build: 'optimize({ full: true })',
    compact: 'optimize()',
    exportAnn: "exportTo(path, { format: 'annoy' })",
    exportDocuments: 'documents()',
  },
  AnnoyIndex: {
    accelerate: 'buildGraph()',
  },
} as const;

/** The new name of an option. */
export function newNameOf(method: string, option: string): string | undefined {
  const renamed = Object.hasOwn(options, method) ? options[method] : undefined;
  return renamed !== undefined && Object.hasOwn(renamed, option) ? renamed[option] : undefined;
}
