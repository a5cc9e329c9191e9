import type { Backend } from '../../backend/backend.js';
import type { ReadSetting } from '../../backend/read-snapshot.js';
import type { ResolvedSearchOptions } from '../../options.js';

const [vectorSetting, rerankSetting] = ['vectorWeight', 'rerankWeight'];

/** Weight of the vectors in hybrid searches, as long as none was fitted: a third; the rest is that of the words. */
export const defaultVectorWeight = 1 / 3;
/** Share of the new score of `rerank: 'tokens'`, as long as none was fitted: measured on SQuAD. */
export const defaultRerankWeight = 0.35;

/** The weight that hybrid searches use unless they set their own. */
export async function storedVectorWeight(setting: ReadSetting): Promise<number> {
  const stored = await setting(vectorSetting);
  return typeof stored === 'number' ? stored : defaultVectorWeight;
}

/** The share that `rerank: 'tokens'` uses in searches that do not set their own. */
export async function storedRerankWeight(setting: ReadSetting): Promise<number> {
  const stored = await setting(rerankSetting);
  return typeof stored === 'number' ? stored : defaultRerankWeight;
}

/** Makes all searches that do not set their own use these weights. */
export async function storeWeights(
  { settings }: Backend,
  { vectorWeight, rerankWeight }: { readonly vectorWeight: number; readonly rerankWeight: number | undefined },
): Promise<void> {
  if (rerankWeight !== undefined) await settings.set(rerankSetting, rerankWeight);
  await settings.set(vectorSetting, vectorWeight);
}

/** The options with weights: their own, or those of the index. @param setting reads the latter. */
export async function withStoredWeights<
  O extends Pick<ResolvedSearchOptions, 'mode' | 'vectorWeight' | 'rerankWeight'> & { readonly rerank: unknown },
>(options: O, setting: ReadSetting): Promise<O> {
  let { vectorWeight, rerankWeight } = options;
  if (options.mode === 'hybrid') vectorWeight ??= await storedVectorWeight(setting);
  if (options.rerank === 'tokens') rerankWeight ??= await storedRerankWeight(setting);
  return { ...options, vectorWeight, rerankWeight };
}
