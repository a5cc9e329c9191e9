import type { Backend } from '../../backend/backend.js';
import type { ReadSetting } from '../../backend/read-snapshot.js';
import type { ResolvedSearchOptions } from '../../options.js';

const settingName = 'vectorWeight';

/** Weight of the vectors in hybrid searches, as long as none was fitted: a third; the rest is that of the words. */
export const defaultVectorWeight = 1 / 3;

/** The weight that hybrid searches use unless they set their own. */
export async function storedVectorWeight(setting: ReadSetting): Promise<number> {
  const stored = await setting(settingName);
  return typeof stored === 'number' ? stored : defaultVectorWeight;
}

/** Makes all searches that do not set their own use this weight. */
export function storeVectorWeight(backend: Backend, weight: number): Promise<void> {
  return backend.settings.set(settingName, weight);
}

/** The options with a weight: their own, or that of the index. @param setting reads the latter. */
export async function withStoredWeight<O extends Pick<ResolvedSearchOptions, 'mode' | 'vectorWeight'>>(
  options: O,
  setting: ReadSetting,
): Promise<O> {
  if (options.mode !== 'hybrid' || options.vectorWeight !== undefined) return options;
  return { ...options, vectorWeight: await storedVectorWeight(setting) };
}
