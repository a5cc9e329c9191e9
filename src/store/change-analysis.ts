import { analysisFromSetting, analysisToSetting, changedAnalysis, hasLanguages } from '../analysis/text-analysis.js';
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
  options: Pick<StoreOptions, 'language' | 'languageField' | 'textFields' | 'textTemplate' | 'readonly'>,
): Promise<void> {
  const before = analysisFromSetting(catalog.settings.analysis());
  const after = changedAnalysis(before, options, !catalog.documents.isEmpty());
  const setting = analysisToSetting(after);
  if (setting === analysisToSetting(before)) return;
  if (options.readonly) {
    // Of an earlier version: searched as it is.
    if (setting === analysisToSetting({ ...before, exactForms: after.exactForms })) return;
    const own = analysisToSetting(before);
    throw new SemanticIndexError('READ_ONLY', `The index analyzes texts otherwise, by ${own}`, {
      hint: 'Leave out `language`, `languageField`, `textFields` and `textTemplate`, or open it once without `readonly`.',
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
