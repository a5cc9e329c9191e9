import { isDecidedByVectors } from '../analysis/near-duplicate.js';
import { normalizedText } from '../analysis/normalized-text.js';
import { checkIndex, checkOneOf, checkPositive } from '../check-arguments.js';
import { estimateTokens } from '../embed/estimate-tokens.js';
import { SemanticIndexError } from '../errors.js';
import { describe, resolveOptions } from '../options.js';
import type { SemanticIndex } from '../semantic-index.js';
import type { DegradedSearch, DocumentId, Hit, Metadata, RerankedHits, SearchedPhrases } from '../types.js';
import { cosine } from '../vectors/metric.js';
import { type ResolvedRetrieverOptions, type RetrieverOptions, retrieverDefaults } from './options.js';
import { formatPassage, PackedContext } from './pack-context.js';
import { type Excerpt, excerptOf, type Passage } from './passages.js';

/** The context for a question. */
export interface RetrievedContext {
  readonly question: string;
  /** The formatted passages, for a prompt. */
  readonly text: string;
  /** Tokens of `text`; never more than the budget. */
  readonly tokens: number;
  /** The citations: the sources of the numbers in `text`. */
  readonly passages: readonly Passage[];
  /** Why the hits were found by words alone; as in the result of `search`. */
  readonly degraded?: DegradedSearch;
  /** How many hits the `rerank` function judged; as in the result of `search`. */
  readonly reranked?: RerankedHits;
  /** How many texts were read for the phrases of the question, if not all that may have them; as in the result of `search`. */
  readonly phrases?: SearchedPhrases;
  /** Hits that were left out: near duplicates of a better one, or too large for the rest of the budget. */
  readonly leftOut: { readonly duplicates: readonly DocumentId[]; readonly tooLarge: readonly DocumentId[] };
}

/** Candidates per requested hit: some are duplicates. */
const depth = 3;

/**
 * Builds the context for a language model from a question: the best hits without near duplicates, each with its
 * surrounding chunks, joined into numbered passages for citations, within a token budget. Hits are added first, then
 * their surroundings, in the order of the hits. Documents that are not chunks are separate passages.
 */
export class Retriever<M extends Metadata = Metadata> {
  readonly #index: SemanticIndex<M>;
  readonly #options: ResolvedRetrieverOptions<M>;

  /** @throws INVALID_ARGUMENT, UNKNOWN_OPTION. */
  constructor(index: SemanticIndex<M>, options?: RetrieverOptions<M>) {
    checkIndex('Retriever', index);
    this.#index = index;
    this.#options = checked(options, retrieverDefaults);
  }

  /**
   * Returns the context for a question; these options override those of the retriever.
   *
   * @throws INVALID_ARGUMENT, UNKNOWN_OPTION, and what `search` throws.
   */
  async retrieve(question: string, options?: RetrieverOptions<M>): Promise<RetrievedContext> {
    const resolved = checked(options, this.#options);
    const { k, maxTokens, mode, syntax, typos, where, minScore, snippet, onProviderFailure, embedBudget, signal } =
      resolved;
    const { boost, groupBy, groupSize } = resolved;
    const { rerank, rerankWeight, rerankDepth, rerankBudget } = resolved;
    const { hits, degraded, reranked, phrases } = await this.#index.search(question, {
      k: k * depth,
      mode,
      syntax,
      typos,
      where,
      boost,
      groupBy,
      groupSize,
      minScore,
      snippet,
      rerank,
      rerankWeight,
      rerankDepth,
      rerankBudget,
      onProviderFailure,
      embedBudget,
      signal,
    });
    const { different, duplicates } = await this.#withoutDuplicates(hits, resolved);
    const countTokens = resolved.countTokens ?? estimateTokens;
    const context = new PackedContext(maxTokens, countTokens, resolved.format ?? formatPassage);
    for (const hit of different) context.add(excerptOf(hit), hit.score);
    const [first] = different;
    if (context.isEmpty && first !== undefined) context.addBeginning(excerptOf(first), first.score);
    else await this.#expand(context, resolved);
    const bare = context.passages();
    const text = context.text(bare);
    const passages = snippet ? bare.map((passage) => ({ ...passage, snippets: snippetsOf(passage, different) })) : bare;
    const tooLarge = different.filter(({ id }) => !context.has(id)).map(({ id }) => id);
    const leftOut = { duplicates, tooLarge };
    return {
      question,
      text,
      tokens: countTokens(text),
      passages,
      leftOut,
      ...(degraded !== undefined && { degraded }),
      ...(reranked !== undefined && { reranked }),
      ...(phrases !== undefined && { phrases }),
    };
  }

  /** The first `k` hits without near duplicates of better ones. */
  async #withoutDuplicates(
    hits: readonly Hit<M>[],
    { k, threshold }: ResolvedRetrieverOptions<M>,
  ): Promise<{ different: Hit<M>[]; duplicates: DocumentId[] }> {
    const vectors = await this.#index.getVectors(hits.map(({ id }) => id));
    const known = await this.#index.knownWords(hits.map((hit) => excerptOf(hit).text));
    const different: { hit: Hit<M>; words: string; known: string | undefined; vector: Float32Array | undefined }[] = [];
    const duplicates: DocumentId[] = [];
    for (const [position, hit] of hits.entries()) {
      if (different.length === k) break;
      const vector = vectors[position];
      const words = normalizedText(excerptOf(hit).text);
      const alike = different.some((other) => {
        if (other.words === words) return true;
        if (other.vector === undefined || vector === undefined) return false;
        const similarity = cosine(other.vector, vector);
        return similarity >= threshold && isDecidedByVectors(other.known, known[position], similarity);
      });
      if (alike) duplicates.push(hit.id);
      else different.push({ hit, words, known: known[position], vector });
    }
    return { different: different.map(({ hit }) => hit), duplicates };
  }

  /** Adds the chunks around the hits, nearest first, while the budget allows. */
  async #expand(context: PackedContext, { expand, neighbors }: ResolvedRetrieverOptions<M>): Promise<void> {
    if (expand === 'none') return;
    const hits = [...context.excerpts];
    const said = new Set(hits.map(({ text }) => normalizedText(text)));
    let sides = hits.flatMap((hit): Side[] => [
      { hit, edge: hit, way: 'previous' },
      { hit, edge: hit, way: 'next' },
    ]);
    for (let distance = 1; sides.length > 0 && (expand === 'parent' || distance <= neighbors); distance++) {
      const steps = sides.flatMap((side) => {
        const id = side.edge.place?.[side.way];
        return id === undefined ? [] : [{ ...side, id }];
      });
      const documents = await this.#index.getDocuments(steps.map(({ id }) => id));
      sides = [];
      for (const [position, { hit, way }] of steps.entries()) {
        const document = documents[position];
        if (document === undefined) continue;
        const edge = excerptOf(document);
        if (expand === 'parent' && !isWithin(edge, hit)) continue;
        const words = normalizedText(edge.text);
        if (!context.has(edge.id) && (said.has(words) || !context.add(edge))) continue;
        said.add(words);
        sides.push({ hit, edge, way });
      }
    }
  }
}

/** A direction in which the passage of a hit grows, and its progress. */
interface Side {
  readonly hit: Excerpt;
  readonly edge: Excerpt;
  readonly way: 'previous' | 'next';
}

/** The snippets of the hits in a passage, best first. */
function snippetsOf({ ids }: Passage, hits: readonly Hit[]): NonNullable<Passage['snippets']> {
  return hits.flatMap(({ id, snippet }) => (snippet !== undefined && ids.includes(id) ? [{ id, ...snippet }] : []));
}

function isWithin({ place }: Excerpt, hit: Excerpt): boolean {
  if (place === undefined || hit.place === undefined) return false;
  const { parent } = hit.place;
  return place.end > parent.start && place.end <= parent.end;
}

/** @param defaults values of missing options. */
function checked<M extends Metadata>(
  given: RetrieverOptions<M> | undefined,
  defaults: ResolvedRetrieverOptions<M>,
): ResolvedRetrieverOptions<M> {
  const options = resolveOptions('Retriever', given, defaults);
  checkPositive('Retriever', 'k', options.k);
  checkPositive('Retriever', 'maxTokens', options.maxTokens);
  checkOneOf('Retriever', 'expand', options.expand, ['none', 'neighbors', 'parent']);
  const { neighbors, threshold } = options;
  if (!Number.isSafeInteger(neighbors) || neighbors < 0) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `Retriever: expected a non-negative integer as neighbors, got ${describe(neighbors)}`,
      {
        hint: 'Pass 0 for no surrounding chunks.',
      },
    );
  }
  if (!(threshold >= -1)) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `Retriever: threshold is ${describe(threshold)}`, {
      hint: 'Pass a cosine, such as 0.95.',
    });
  }
  return options;
}
