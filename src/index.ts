export { type CopyResult, copyIndex } from './copy/copy-index.js';
export {
  adviseThreshold,
  type SimilarityBand,
  type ThresholdAdvice,
} from './dedupe/advise-threshold.js';
export {
  type Duplicate,
  type DuplicateGroup,
  Duplicates,
  type Outlier,
} from './dedupe/duplicates.js';
export type { PairExplanation } from './dedupe/explain-pair.js';
export { findDuplicates } from './dedupe/find-duplicates.js';
export type {
  AdviceOptions,
  ApplyOptions,
  DuplicateOptions,
  OutlierOptions,
  Representative,
  SimilarPair,
} from './dedupe/options.js';
export type { DifferencePart } from './dedupe/word-difference.js';
export { bundledProvider } from './embed/bundled/bundled-provider.js';
export { estimateTokens } from './embed/estimate-tokens.js';
export { openaiProvider } from './embed/openai/openai-provider.js';
export { staticProvider } from './embed/static/static-provider.js';
export { transformersProvider } from './embed/transformers/transformers-provider.js';
export { type TransformersReranker, transformersReranker } from './embed/transformers/transformers-reranker.js';
export { type ErrorCode, SemanticIndexError, type SemanticIndexErrorOptions } from './errors.js';
export { type AdviseMinScoreOptions, adviseMinScore, type MinScoreAdvice } from './evaluation/advise-min-score.js';
export { plotEvaluation } from './evaluation/plot-evaluation.js';
export { type ProposedQuestions, type QuestionsFromOptions, questionsFrom } from './evaluation/questions-from.js';
export { type ReadQuestions, type ReadQuestionsOptions, readQuestions } from './evaluation/read-questions.js';
export type { FileProperties, PageKind } from './files/content/file-content.js';
export type { FileFormat } from './files/content/file-formats.js';
export type { BlockKind, PlacedBlock, TextBlock } from './files/content/text-block.js';
export { parseFile } from './files/parse-file.js';
export type { ParsedFile } from './files/parsed-file.js';
export type { IndexLocation } from './open-index.js';
export type {
  AddOptions,
  AnnOptions,
  AnnoyBatchOptions,
  AnnoyBuildGraphOptions,
  AnnoyBuildOptions,
  AnnoyDeserializeOptions,
  AnnoyEngine,
  AnnoyIndexOptions,
  AnnoyMapOptions,
  AnnoyOpenOptions,
  AnnoySearchOptions,
  AnnoySerializeOptions,
  AnnoySnapshotOptions,
  AnnoyValidateOptions,
  BackupOptions,
  Boost,
  BundledProviderOptions,
  CacheOptions,
  ChunkOptions,
  CopyOptions,
  CountOptions,
  CountTokens,
  DeleteOptions,
  DuplicateMeasure,
  EmbeddingsClient,
  EvaluateOptions,
  EvaluateVariant,
  ExportOptions,
  FacetFields,
  FacetOptions,
  FacetRange,
  FacetsOptions,
  FieldType,
  FilterBoost,
  FolderOptions,
  ImportOptions,
  ListOptions,
  MatrixAddOptions,
  MatrixBlocksOptions,
  MatrixCreateOptions,
  MatrixOpenOptions,
  MigrateOptions,
  OpenAIProviderOptions,
  OpenOptions,
  OptimizeOptions,
  ParseFileOptions,
  PlanOptions,
  PostgresClient,
  PostgresOptions,
  PostgresPool,
  PostgresReplica,
  PostgresShard,
  ReadPassageOptions,
  RebuildOptions,
  RecencyBoost,
  SalvageOptions,
  SearchOptions,
  SentenceOptions,
  SnippetOptions,
  SortOptions,
  StaticProviderOptions,
  StorageOptions,
  SuggestOptions,
  TransformersProviderOptions,
  TransformersRerankerOptions,
  TuneOptions,
  UpdateOptions,
  ValidateOptions,
  ValueBoost,
} from './options.js';
export { PostgresLocation, postgres } from './postgres/postgres-options.js';
export type { Chunk, Chunker, TextRange } from './rag/chunking/chunk.js';
export {
  type ChunkMetadata,
  type ChunkPlace,
  chunkDocuments,
  type SourceChunker,
  type SourceDocument,
} from './rag/chunking/chunk-documents.js';
export { chunkMarkdown } from './rag/chunking/chunk-markdown.js';
export { chunkRecursively } from './rag/chunking/chunk-recursively.js';
export { chunkSentences } from './rag/chunking/chunk-sentences.js';
export { chunkTokens } from './rag/chunking/chunk-tokens.js';
export type { SkippedSource } from './rag/file-source.js';
export type { RetrieverOptions, SyncFolderOptions, SyncOptions, WatchOptions } from './rag/options.js';
export { formatPassage, type PassageFormat } from './rag/pack-context.js';
export type { Passage } from './rag/passages.js';
export { readFolder } from './rag/read-folder.js';
export { readPassage, type SourcePassage } from './rag/read-passage.js';
export { type RetrievedContext, Retriever } from './rag/retriever.js';
export { type Sources, type SyncCounts, type SyncResult, sync } from './rag/sync.js';
export { syncFolder } from './rag/sync-folder.js';
export { type FolderWatch, type WatchEvent, watch } from './rag/watch.js';
export { SemanticIndex } from './semantic-index.js';
export { type LostDocument, type SalvageReport, salvage } from './store/salvage/salvage.js';
export type { LostPart, UnreadableRange } from './store/salvage/salvaged-documents.js';
export type * from './types.js';
export type { GraphStatus } from './vectors/annoy/annoy-graph.js';
export { AnnoyIndex, type WithDistances } from './vectors/annoy/annoy-index.js';
export type { AnnoyInfo, AnnoyMemory } from './vectors/annoy/annoy-info.js';
export type { Neighbors } from './vectors/annoy/annoy-search.js';
export type { AnnoySnapshot } from './vectors/annoy/annoy-snapshot.js';
export type { AnnoyState } from './vectors/annoy/annoy-state.js';
export type { MatrixSearchOptions } from './vectors/matrix/matrix-options.js';
export type { MatrixSource, StreamingOptions } from './vectors/matrix/matrix-search.js';
export { type MatrixBlock, VectorMatrix } from './vectors/matrix/vector-matrix.js';
export type { Vector, VectorRows } from './vectors/vector-arguments.js';
export type { NeighborRows } from './vectors/vector-buffer.js';
