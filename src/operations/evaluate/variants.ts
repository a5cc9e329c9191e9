import { checkSearch } from '../../check-arguments.js';
import { checkProvider } from '../../embed/check-provider.js';
import { SemanticIndexError } from '../../errors.js';
import {
  describe,
  type EvaluateVariant,
  type ResolvedSearchOptions,
  resolveOptions,
  variantDefaults,
} from '../../options.js';
import type { EmbeddingProvider, Metadata } from '../../types.js';

/** A way of searching with its name, checked. */
export interface Variant<M extends Metadata> {
  readonly name: string;
  readonly options: ResolvedSearchOptions<M>;
  /** The model, if it is another than that of the index. */
  readonly provider: EmbeddingProvider | undefined;
}

/**
 * Checks variants and names those without a name by their options.
 *
 * @throws INVALID_ARGUMENT, also for two variants of one name; UNKNOWN_OPTION.
 */
export function checkVariants<M extends Metadata>(
  given: readonly EvaluateVariant<M>[],
  k: number,
  searchK: number | undefined,
): Variant<M>[] {
  if (given.length === 0) {
    throw new SemanticIndexError('INVALID_ARGUMENT', 'evaluate: compare is empty', {
      hint: 'Pass at least one variant, or leave it out to evaluate how the index searches.',
    });
  }
  const variants = given.map((variant) => {
    const resolved = resolveOptions('evaluate', variant, variantDefaults);
    const { name, provider, ...chosen } = resolved;
    if (provider !== undefined) checkProvider('evaluate', provider);
    const options = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
    return { name: name ?? nameOf(options, provider), options: checkSearch<M>({ ...options, k }, searchK), provider };
  });
  const names = variants.map(({ name }) => name);
  const repeated = names.find((name, place) => names.indexOf(name) !== place);
  if (repeated !== undefined) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `evaluate: two variants are called "${repeated}"`, {
      hint: 'Give each variant a name of its own.',
    });
  }
  return variants;
}

function nameOf(options: Readonly<Record<string, unknown>>, provider: EmbeddingProvider | undefined): string {
  const parts = Object.entries(options).map(([option, value]) =>
    option === 'mode' ? String(value) : `${option} ${typeof value === 'function' ? value.name : describe(value)}`,
  );
  if (provider !== undefined) parts.unshift(provider.id);
  return parts.length === 0 ? 'as the index searches' : parts.join(', ').trim();
}
