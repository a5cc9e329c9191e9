import { SemanticIndexError } from '../errors.js';
import type { EmbeddingProvider, EmbeddingRole } from '../types.js';
import { cosine } from '../vectors/metric.js';
import { embedTexts } from './embed-texts.js';

/** Max. cosine distance between a stored and a new reference embedding: services are not exact to the last bit. */
export const referenceTolerance = 1e-3;

const long = Array.from({ length: 60 }, (_, part) => `Part ${part + 1} covers harbours, engines, rain and letters.`);
/** Sensitive to changes of case, diacritics, scripts, code, roles, and truncation at 512 tokens. */
const referenceTexts: readonly (readonly [EmbeddingRole, string])[] = [
  ['document', 'The quick brown fox jumps over the lazy dog.'],
  ['document', 'THE NAÏVE CAFÉ in Straßburg'],
  ['document', 'function add(a, b) { return a + b; } // 42'],
  ['document', '语义搜索 ищет смысл'],
  ['document', long.join(' ')],
  ['query', 'how does the fox jump'],
];

/** A stored reference embedding. */
interface ReferenceEmbedding {
  readonly role: EmbeddingRole;
  readonly text: string;
  /** Float32, little-endian, base64. */
  readonly vector: string;
}

/** Options for the calls that reference embeddings need. */
export interface ReferenceOptions {
  signal?: AbortSignal | undefined;
}

/**
 * Embeds a few fixed texts and returns them with their vectors as JSON text, which is stored with the embedding space
 * (see `checkReferenceEmbeddings`). Texts that the provider refuses while it embeds others, for example because they
 * are too long, are left out. The JSON member is called `canaries`, as in the stored format.
 */
export async function makeReferenceEmbeddings(
  provider: EmbeddingProvider,
  options: ReferenceOptions = {},
): Promise<string> {
  const vectors = await embedReferenceTexts(provider, referenceTexts, options);
  const canaries = referenceTexts.flatMap(([role, text], index) => {
    const vector = vectors[index];
    return vector === undefined ? [] : [{ role, text, vector: encode(vector) }];
  });
  return JSON.stringify({ version: 1, canaries });
}

/**
 * Embeds the reference texts again and compares the vectors: detects a model that changed behind an unchanged id.
 *
 * @throws SPACE_MISMATCH when a vector differs by more than the tolerance or in its dimensions, CORRUPT when the stored
 * text is not what `makeReferenceEmbeddings` returned, and the errors of `embedTexts`.
 */
export async function checkReferenceEmbeddings(
  provider: EmbeddingProvider,
  stored: string,
  options: ReferenceOptions = {},
): Promise<void> {
  const canaries = parse(stored);
  const vectors = await embedReferenceTexts(
    provider,
    canaries.map(({ role, text }) => [role, text] as const),
    options,
  );
  const moved = canaries.flatMap(({ role, text, vector }, index) => {
    const now = vectors[index];
    const distance = now === undefined ? Number.POSITIVE_INFINITY : cosineDistance(decode(vector), now);
    return distance <= referenceTolerance ? [] : [{ role, text: text.slice(0, 60), distance }];
  });
  if (moved.length === 0) return;
  const worst = Math.max(...moved.map(({ distance }) => distance));
  const far =
    worst === Number.POSITIVE_INFINITY ? 'refused, or with other dimensions' : `1 - cosine up to ${worst.toFixed(4)}`;
  throw new SemanticIndexError(
    'SPACE_MISMATCH',
    `The provider "${provider.id}" no longer returns the vectors that the index was built with: ` +
      `${moved.length} of ${canaries.length} reference texts differ (${far})`,
    {
      hint: 'The model behind this id has changed. Use the previous model, or migrate the index.',
      details: { moved, tolerance: referenceTolerance },
    },
  );
}

/**
 * Checks imported reference embeddings without embedding them.
 *
 * @throws CORRUPT unless they have the format of `makeReferenceEmbeddings` and this number of dimensions.
 */
export function checkStoredReferenceEmbeddings(stored: string, dimensions: number): void {
  const wrong = parse(stored).find(({ vector }) => Buffer.from(vector, 'base64').length !== dimensions * 4);
  if (wrong === undefined) return;
  throw new SemanticIndexError('CORRUPT', `The stored reference embeddings do not have ${dimensions} dimensions`);
}

async function embedReferenceTexts(
  provider: EmbeddingProvider,
  texts: readonly (readonly [EmbeddingRole, string])[],
  { signal }: ReferenceOptions,
): Promise<readonly (Float32Array | undefined)[]> {
  await provider.ready?.();
  const vectors: (Float32Array | undefined)[] = [];
  for (const role of ['document', 'query'] as const) {
    const places = texts.flatMap(([own], index) => (own === role ? [index] : []));
    const batches = embedTexts(
      provider,
      places.map((index) => shortened(provider, (texts[index] as readonly [EmbeddingRole, string])[1])),
      { role, signal, onRefused: () => {} },
    );
    for await (const batch of batches) {
      batch.indices.forEach((place, row) => {
        vectors[places[place] as number] = batch.vectors[row] as Float32Array;
      });
    }
  }
  return vectors;
}

/** The text, halved until it is within the token limit of the provider. */
function shortened(provider: EmbeddingProvider, text: string): string {
  const { maxInputTokens } = provider;
  let shorter = text;
  while (
    maxInputTokens !== undefined &&
    shorter.length > 1 &&
    (provider.countTokens?.(shorter) ?? 0) > maxInputTokens
  ) {
    shorter = shorter.slice(0, Math.ceil(shorter.length / 2));
  }
  return shorter;
}

function parse(stored: string): ReferenceEmbedding[] {
  const damaged = (cause?: unknown): SemanticIndexError =>
    new SemanticIndexError('CORRUPT', 'The stored reference embeddings of the embedding space are damaged', { cause });
  let value: { version?: unknown; canaries?: unknown } | null;
  try {
    value = JSON.parse(stored);
  } catch (error) {
    throw damaged(error);
  }
  const canaries = value?.canaries;
  const isReferenceEmbedding = (entry: Partial<ReferenceEmbedding> | null): boolean =>
    typeof entry?.text === 'string' && typeof entry.vector === 'string' && /^(document|query)$/.test(entry.role ?? '');
  if (value?.version !== 1 || !Array.isArray(canaries) || !canaries.every(isReferenceEmbedding)) throw damaged();
  return canaries;
}

function encode(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, column) => {
    bytes.writeFloatLE(value, column * 4);
  });
  return bytes.toString('base64');
}

function decode(text: string): Float32Array {
  // A copy begins at a multiple of four bytes.
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return new Float32Array(bytes.buffer, 0, bytes.length >> 2);
}

/** 1 - cosine; infinite for vectors of different lengths or without direction. */
function cosineDistance(a: Float32Array, b: Float32Array): number {
  const similarity = cosine(a, b);
  return Number.isNaN(similarity) ? Number.POSITIVE_INFINITY : 1 - similarity;
}
