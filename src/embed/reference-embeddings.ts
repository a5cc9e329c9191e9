import { SemanticIndexError } from '../errors.js';
import type { EmbeddingProvider, EmbeddingRole } from '../types.js';
import { unitVector } from './check-vectors.js';
import { embedTexts } from './embed-texts.js';

/** How far, in cosine, a canary may move and still be of the same model: services are not exact to the last bit. */
export const canaryTolerance = 1e-3;

const long = Array.from({ length: 60 }, (_, part) => `Part ${part + 1} tells of harbours, engines, rain and letters.`);
/** Chosen to move when anything moves: case, marks, other scripts, code, both roles, and what follows after 512 tokens. */
const referenceTexts: readonly (readonly [EmbeddingRole, string])[] = [
  ['document', 'The quick brown fox jumps over the lazy dog.'],
  ['document', 'THE NAÏVE CAFÉ in Straßburg'],
  ['document', 'function add(a, b) { return a + b; } // 42'],
  ['document', '语义搜索 ищет смысл'],
  ['document', long.join(' ')],
  ['query', 'how does the fox jump'],
];

/** A canary as stored. */
interface ReferenceEmbedding {
  readonly role: EmbeddingRole;
  readonly text: string;
  /** Float32, little-endian, base64. */
  readonly vector: string;
}

/** What callers may say about the few calls that canaries need. */
export interface CanaryOptions {
  signal?: AbortSignal | undefined;
}

/**
 * Embeds a handful of fixed texts and returns them with their vectors as JSON text, to be kept beside the vectors of
 * the same provider. See `checkReferenceEmbeddings`. Texts that the provider refuses while it embeds others, such as one that is longer
 * than its model takes, are left out.
 */
export async function makeReferenceEmbeddings(
  provider: EmbeddingProvider,
  options: CanaryOptions = {},
): Promise<string> {
  const vectors = await embedReferenceTexts(provider, referenceTexts, options);
  const canaries = referenceTexts.flatMap(([role, text], index) => {
    const vector = vectors[index];
    return vector === undefined ? [] : [{ role, text, vector: encode(vector) }];
  });
  return JSON.stringify({ version: 1, canaries });
}

/**
 * Embeds stored canaries again and compares: catches a model that changed behind an unchanged id.
 *
 * @throws SPACE_MISMATCH when a vector has moved by more than the tolerance or changed its dimensions, CORRUPT when the
 * stored text is not what `makeReferenceEmbeddings` returned, and whatever `embedTexts` throws.
 */
export async function checkReferenceEmbeddings(
  provider: EmbeddingProvider,
  stored: string,
  options: CanaryOptions = {},
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
    return distance <= canaryTolerance ? [] : [{ role, text: text.slice(0, 60), distance }];
  });
  if (moved.length === 0) return;
  const worst = Math.max(...moved.map(({ distance }) => distance));
  const far =
    worst === Number.POSITIVE_INFINITY
      ? 'refused, or of another number of dimensions'
      : `1 - cosine up to ${worst.toFixed(4)}`;
  throw new SemanticIndexError(
    'SPACE_MISMATCH',
    `The provider "${provider.id}" no longer gives the vectors that the index was made with: ` +
      `${moved.length} of ${canaries.length} known texts moved (${far})`,
    {
      hint: 'The model behind this id has changed. Go back to the earlier one, or migrate the index.',
      details: { moved, tolerance: canaryTolerance },
    },
  );
}

/**
 * Checks canaries that came from outside without embedding them.
 *
 * @throws CORRUPT unless they are what `makeReferenceEmbeddings` returns for vectors of this many dimensions.
 */
export function checkStoredReferenceEmbeddings(stored: string, dimensions: number): void {
  const wrong = parse(stored).find(({ vector }) => Buffer.from(vector, 'base64').length !== dimensions * 4);
  if (wrong === undefined) return;
  throw new SemanticIndexError('CORRUPT', `The stored canaries do not have ${dimensions} dimensions`);
}

async function embedReferenceTexts(
  provider: EmbeddingProvider,
  texts: readonly (readonly [EmbeddingRole, string])[],
  { signal }: CanaryOptions,
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

/** The longest beginning, by halves, that a provider with a hard limit takes. */
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
    new SemanticIndexError('CORRUPT', 'The stored canaries of the space are damaged', { cause });
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
  const bytes = Buffer.from(text, 'base64');
  return Float32Array.from({ length: bytes.length >> 2 }, (_, column) => bytes.readFloatLE(column * 4));
}

/** 1 - cosine; infinite for vectors of different lengths or without direction. */
function cosineDistance(a: Float32Array, b: Float32Array): number {
  const [left, right] = [unitVector(a), unitVector(b)];
  if (typeof left === 'string' || typeof right === 'string' || left.length !== right.length) {
    return Number.POSITIVE_INFINITY;
  }
  return 1 - left.reduce((product, value, column) => product + value * (right[column] as number), 0);
}
