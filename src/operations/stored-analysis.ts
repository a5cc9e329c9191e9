import type { TextLayout } from '../analysis/fields/text-layout.js';
import { analysisFromSetting, analysisSettingName, englishSetting } from '../analysis/text-analysis.js';
import type { Backend } from '../backend/backend.js';

/** The fields of the texts of an index as of now; undefined where texts are strings. */
export async function storedLayout(backend: Backend): Promise<TextLayout | undefined> {
  return analysisFromSetting(await storedAnalysis(backend)).layout;
}

/** How the index analyzes texts as of now, as the setting that `analysisFromSetting` reads. */
export async function storedAnalysis({ settings }: Backend): Promise<string> {
  return String((await settings.get(analysisSettingName)) ?? englishSetting);
}
