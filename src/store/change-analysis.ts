import { analysisFromSetting, analysisToSetting, hasLanguages, type TextAnalysis } from '../analysis/text-analysis.js';
import { documentsPerRead } from '../backend/batch-sizes.js';
import { SemanticIndexError } from '../errors.js';
import type { Catalog } from './catalog/catalog.js';
import type { StoreOptions } from './store-options.js';
import type { CatalogClient } from './writer/catalog-client.js';

/**
 * Has the texts of an index analyzed in another language, if one is asked for: their terms are derived again in the background, and
 * by searches for words until then.
 *
 * @throws READ_ONLY when the index must not be changed.
 */
export async function changeAnalysis(
  catalog: Catalog,
  writer: CatalogClient,
  { language, languageField, readonly }: Pick<StoreOptions, 'language' | 'languageField' | 'readonly'>,
): Promise<void> {
  const before = analysisFromSetting(catalog.settings.analysis());
  const field = languageField === undefined ? before.field : (languageField ?? undefined);
  const after: TextAnalysis = { language: language ?? before.language, ...(field !== undefined && { field }) };
  const setting = analysisToSetting(after);
  if (setting === analysisToSetting(before)) return;
  if (readonly) {
    throw new SemanticIndexError('READ_ONLY', `The words of the index are in language ${before.language}`, {
      hint: 'Leave out `language` and `languageField`, or open it once without `readonly`.',
    });
  }
  const found = new Set<string>();
  let scanned = 0;
  while (hasLanguages(after)) {
    const some = await writer.terms.languagesAfter(setting, scanned, documentsPerRead);
    if (some === undefined) break;
    for (const code of some.languages) found.add(code);
    scanned = some.last;
  }
  await writer.segments.changeAnalysis(setting, [...found], scanned);
}
