// Checked by the compiler (tsconfig.check.json): what users see of the types, and what they must not be able to write.
import { expectTypeOf } from 'vitest';
import type { aiEmbeddingModel } from '../src/adapters/ai.js';
import type { SemanticIndexVectorStore } from '../src/adapters/langchain.js';
import {
  type DocumentId,
  type EmbeddingProvider,
  type ErrorCode,
  findDuplicates,
  type Hit,
  SemanticIndex,
  SemanticIndexError,
} from '../src/index.js';
import type { createServer, SearchServer } from '../src/server/server.js';

type Book = { year: number; author: string };

export async function metadataIsTypedThroughout(): Promise<void> {
  await using index = await SemanticIndex.open<Book>('library');
  expectTypeOf((await index.search('whale')).hits).toEqualTypeOf<Hit<Book>[]>();
  expectTypeOf((await index.search('whale')).hits[0]?.metadata.year).toEqualTypeOf<number | undefined>();
  expectTypeOf((await index.getDocument(1))?.metadata).toEqualTypeOf<Book | undefined>();
  expectTypeOf((await index.addDocuments(['a'])).ids).toEqualTypeOf<DocumentId[]>();
  expectTypeOf((await findDuplicates(index)).groups[0]?.representative).toEqualTypeOf<DocumentId | undefined>();
  await index.addDocuments([{ text: 'a', metadata: { year: 1851, author: 'Melville' } }]);
  // @ts-expect-error a year is a number
  await index.addDocuments([{ text: 'a', metadata: { year: '1851', author: 'Melville' } }]);
  // @ts-expect-error a document has a text
  await index.addDocuments([{ id: 1 }]);
  // @ts-expect-error there is no such mode
  await index.search('a', { mode: 'magic' });
  // @ts-expect-error there is no such option
  await index.search('a', { topK: 3 });
  // @ts-expect-error a Date is not JSON
  await SemanticIndex.open<{ when: Date }>('library');
}

export function errorsAreNarrowed(error: unknown): void {
  if (SemanticIndexError.is(error)) expectTypeOf(error.code).toEqualTypeOf<ErrorCode>();
  // @ts-expect-error there is no such code
  SemanticIndexError.is(error, 'NO_SUCH_CODE');
}

export function providersAreSmall(): void {
  expectTypeOf<{
    id: string;
    embed(texts: readonly string[]): Promise<{ vectors: Float32Array[] }>;
  }>().toExtend<EmbeddingProvider>();
  // @ts-expect-error an id is needed
  expectTypeOf<{ embed: EmbeddingProvider['embed'] }>().toExtend<EmbeddingProvider>();
}

export function facesFitTheirFrameworks(): void {
  expectTypeOf<Awaited<ReturnType<typeof createServer>>>().toEqualTypeOf<SearchServer>();
  expectTypeOf<SemanticIndexVectorStore>().toExtend<import('@langchain/core/vectorstores').VectorStoreInterface>();
  expectTypeOf<ReturnType<typeof aiEmbeddingModel>>().toExtend<import('ai').EmbeddingModel>();
}
