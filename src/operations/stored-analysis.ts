import { analysisSettingName, englishSetting } from '../analysis/text-analysis.js';
import type { Backend } from '../backend/backend.js';

/** How the index analyzes texts as of now, as the setting that `analysisFromSetting` reads. */
export async function storedAnalysis({ settings }: Backend): Promise<string> {
  return String((await settings.get(analysisSettingName)) ?? englishSetting);
}
