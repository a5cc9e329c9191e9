// What is bundled: scripts/prepare/bundle-entries.mjs.

/** The exports of package.json. */
export const imported = [
  'index',
  'testing',
  'server/server',
  'server/mcp/mcp',
  'adapters/langchain',
  'adapters/llamaindex',
  'adapters/mastra',
  'adapters/ai',
];

/** Each replaces its module in dist/, by whose address it is started. */
export const started = [
  'store/writer/catalog-worker',
  'embed/text-workers/text-worker',
  'embed/transformers/transformers-worker',
  'files/parse-worker',
  'rag/chunk-worker',
  'cli/main',
  'crash-test/main',
  'crash-test/writer',
  'crash-test/crowd-member',
];
