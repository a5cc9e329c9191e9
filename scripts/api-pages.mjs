// Writes docs/api.md and docs/api/ from the declarations in dist/ and the examples in examples/api/: node scripts/api-pages.mjs
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readApi } from './api/declarations.mjs';
import { readExamples } from './api/examples.mjs';
import { renderPages } from './api/render.mjs';

export { readApi } from './api/declarations.mjs';
export { statedOutput } from './api/examples.mjs';
export { renderPages } from './api/render.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Topics, in the order of the index page: functions and classes by name; types follow the topic of the file that declares them. */
export const topics = [
  { name: 'semantic-index', title: 'SemanticIndex', values: ['SemanticIndex', 'SemanticIndexError', 'salvage'] },
  {
    name: 'embeddings',
    title: 'Embedding providers',
    values: [
      ...['bundledProvider', 'staticProvider', 'transformersProvider', 'transformersReranker', 'openaiProvider'],
      ...['testProvider', 'deterministicProvider'],
    ],
    files: /\/(?:embed|options\/providers)\b/,
  },
  {
    name: 'rag',
    title: 'Chunks, synchronization, contexts',
    values: [
      ...[
        'sync',
        'syncFolder',
        'watch',
        'parseFile',
        'readFolder',
        'readPassage',
        'Retriever',
        'formatPassage',
        'chunkDocuments',
        'chunkMarkdown',
        'chunkRecursively',
      ],
      ...['chunkSentences', 'chunkTokens', 'estimateTokens'],
    ],
    files: /\/(?:rag\/|files\/|options\/(?:rag|files)\b)/,
  },
  {
    name: 'deduplication',
    title: 'De-duplication',
    values: ['findDuplicates', 'Duplicates', 'adviseThreshold'],
    files: /\/(?:dedupe\/|options\/dedupe\b)/,
  },
  {
    name: 'postgres',
    title: 'PostgreSQL',
    values: ['postgres', 'PostgresLocation', 'copyIndex'],
    files: /\/(?:postgres|copy)\//,
  },
  {
    name: 'evaluation',
    title: 'Evaluation',
    values: ['readQuestions', 'questionsFrom', 'adviseMinScore', 'plotEvaluation'],
    files: /\/(?:evaluation|options\/evaluate\b|types\/evaluation\b)/,
  },
  { name: 'annoy-index', title: 'AnnoyIndex', values: ['AnnoyIndex'], files: /\/(?:vectors\/|options\/annoy-index\b)/ },
  {
    name: 'vector-matrix',
    title: 'VectorMatrix',
    values: ['VectorMatrix'],
    files: /\/(?:vectors\/matrix\/|options\/vector-matrix\b|types\/matrix\b)/,
  },
  { name: 'integrations', title: 'Service and MCP', files: /\/(?:server|options\/(?:server|mcp)\b)/ },
  { name: 'frameworks', title: 'Frameworks', files: /\/adapters\// },
  {
    name: 'search-types',
    title: 'Options and results of searches',
    files: /\/(?:options\/(?:search|snippet)|types\/(?:search|facets|hit-explanation))\b/,
  },
  { name: 'types', title: 'Types', files: /./ },
];

/** The pages by path, and what they lack: functions and methods without an example, topics that name an unknown export. */
export function apiPages(folder = root) {
  const api = readApi(folder, JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).exports);
  return renderPages(api, readExamples(join(folder, 'examples/api')), topics);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { pages, missing } = apiPages();
  rmSync(join(root, 'docs/api'), { recursive: true, force: true });
  mkdirSync(join(root, 'docs/api'), { recursive: true });
  for (const [path, text] of pages) writeFileSync(join(root, path), text);
  for (const line of missing) console.error(line);
  process.exitCode = missing.length > 0 ? 1 : 0;
}
