import type { Backend } from '../../src/backend/backend.js';
import { contentHash } from '../../src/backend/content-hash.js';
import type { DocumentOutcome } from '../../src/backend/documents.js';
import { embedText } from '../../src/embed/embed-texts.js';
import { deterministicProvider } from '../../src/testing.js';
import type { DocumentId } from '../../src/types.js';

export const provider = deterministicProvider({ dimensions: 16 });

/** A document in short. */
export interface ShortDocument {
  readonly id: DocumentId;
  readonly text: string;
  readonly metadata?: object;
}

export async function vectorOf(text: string): Promise<Float32Array> {
  return (await embedText(provider, text, { role: 'document' })).vector;
}

/** Stores vectors of documents and commits them, as `addDocuments` does. */
export async function add(
  backend: Backend,
  documents: readonly ShortDocument[],
): Promise<readonly (DocumentOutcome | undefined)[]> {
  const { space } = await backend.chooseSpace(provider.id, provider.dimensions, null);
  const hashes = documents.map(({ text }) => contentHash(text));
  const vectors = await Promise.all(documents.map(({ text }) => vectorOf(text)));
  const numbers = await backend.putVectors(
    space,
    'document',
    hashes,
    vectors,
    documents.map(({ id }) => id),
  );
  return backend.commit(
    documents.map(({ id, text, metadata }, position) => ({
      id,
      text,
      hash: hashes[position] as string,
      metadata: metadata === undefined ? null : JSON.stringify(metadata),
      vector: numbers[position] as number,
    })),
  );
}

/** The answer to a query: vector, text and documents of one snapshot. */
export async function answer(backend: Backend, query: string, k = 10) {
  const snapshot = await backend.snapshot();
  if (snapshot === undefined) return { near: [], text: [] };
  try {
    const queries = await vectorOf(query);
    const [near = []] = await snapshot.search({ queries, count: 1, k, exact: true });
    const [matches] = await snapshot.rank({ queries: [{ text: query }], k, depth: k });
    const idsOf = async (keys: readonly number[]) => (await snapshot.byKeys(keys)).map((document) => document?.id);
    const nearIds = await idsOf(near.map(({ key }) => key));
    const textIds = await idsOf((matches?.ranked ?? []).map(({ key }) => key));
    return {
      near: near.map(({ distance }, position) => ({ id: nearIds[position], distance })),
      text: (matches?.ranked ?? []).map(({ score }, position) => ({ id: textIds[position], score })),
    };
  } finally {
    snapshot.close();
  }
}
