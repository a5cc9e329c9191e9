export {
  adviseThreshold,
  type SimilarityBand,
  type SimilarPair,
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
export type { DifferencePart } from './dedupe/word-difference.js';
export { bundledProvider } from './embed/bundled-provider.js';
export { estimateTokens } from './embed/estimate-tokens.js';
export { openaiProvider } from './embed/openai-provider.js';
export { transformersProvider } from './embed/transformers-provider.js';
export { type ErrorCode, SemanticIndexError, type SemanticIndexErrorOptions } from './errors.js';
export type { Documents } from './journeys/add-journey.js';
export type { Query } from './journeys/query-vectors.js';
export type {
  AddOptions,
  AdviceOptions,
  AnnoyAccelerateOptions,
  AnnoyBatchOptions,
  AnnoyBuildOptions,
  AnnoyDeserializeOptions,
  AnnoyEngine,
  AnnoyIndexOptions,
  AnnoyOpenOptions,
  AnnoySearchOptions,
  AnnoySerializeOptions,
  AnnoySnapshotOptions,
  AnnoyValidateOptions,
  ApplyOptions,
  BuildOptions,
  BundledProviderOptions,
  ChunkOptions,
  CountOptions,
  CountTokens,
  DeleteOptions,
  DuplicateOptions,
  EmbeddingsClient,
  FieldType,
  FolderOptions,
  Given,
  ListOptions,
  MatrixAddOptions,
  MatrixBlocksOptions,
  MatrixCreateOptions,
  MatrixOpenOptions,
  MatrixSearchOptions,
  MigrateOptions,
  OpenAIProviderOptions,
  OpenOptions,
  OutlierOptions,
  PageOptions,
  PlanOptions,
  RebuildOptions,
  Representative,
  Rerank,
  RetrieverOptions,
  SearchOptions,
  SentenceOptions,
  SyncOptions,
  TransformersProviderOptions,
  TuneOptions,
  UpdateOptions,
  ValidateOptions,
} from './options.js';
export type { Chunk, Chunker, TextRange } from './rag/chunk.js';
export {
  type ChunkMetadata,
  type ChunkPlace,
  chunkDocuments,
  type SourceDocument,
} from './rag/chunk-documents.js';
export { chunkMarkdown } from './rag/chunk-markdown.js';
export { chunkRecursively } from './rag/chunk-recursively.js';
export { chunkSentences } from './rag/chunk-sentences.js';
export { chunkTokens } from './rag/chunk-tokens.js';
export { formatPassage, type PassageFormat } from './rag/pack-context.js';
export type { Passage } from './rag/passages.js';
export { readFolder, type SkippedSource } from './rag/read-folder.js';
export { type RetrievedContext, Retriever } from './rag/retriever.js';
export { type SourceChunker, type Sources, type SyncCounts, type SyncResult, sync } from './rag/sync.js';
export { SemanticIndex } from './semantic-index.js';
export { type LostDocument, type SalvageReport, salvage } from './store/salvage.js';
export type { UnreadableRange } from './store/salvaged-documents.js';
export type { DocumentSelection, WhereOf } from './types/where-of.js';
export type * from './types.js';
export type { AcceleratorStatus } from './vectors/annoy-accelerator.js';
export type { Vector, VectorRows } from './vectors/annoy-arguments.js';
export { AnnoyIndex } from './vectors/annoy-index.js';
export type { AnnoyState } from './vectors/annoy-lifecycle.js';
export type { AnnoyInfo, AnnoyMemory, WithDistances } from './vectors/annoy-reader.js';
export type { Neighbors } from './vectors/annoy-search.js';
export type { AnnoySnapshot } from './vectors/annoy-snapshot.js';
export type { MatrixSource, StreamingOptions } from './vectors/matrix-search.js';
export type { NeighborRows } from './vectors/vector-buffer.js';
export { type MatrixBlock, VectorMatrix } from './vectors/vector-matrix.js';
