import { analyzeDocument } from '../../analysis/analyze.js';
import { type TermRows, unpackTerms } from '../../analysis/packed-terms.js';
import { analysisFromSetting, languageOfDocument } from '../../analysis/text-analysis.js';
import { documentsPerRead } from '../../backend/batch-sizes.js';
import type { Catalog } from '../catalog/catalog.js';
import type { SegmentRow } from '../catalog/segment-table.js';
import type { TermsBatch } from '../catalog/terms-table.js';
import { openTermsFile } from '../directory/derived-files.js';
import { termsFile } from '../directory/segment-names.js';

/** The fault of the terms file of a segment, or undefined. `full` compares all of its bytes. */
export async function termsFileFault(
  row: SegmentRow,
  directory: string,
  level: 'quick' | 'full',
): Promise<string | undefined> {
  if (row.terms_size === null) return `${row.file} has no terms file yet`;
  const file = await openTermsFile(directory, row, level === 'full' ? 'structure' : 'untouched');
  file?.close();
  return file === undefined ? `${termsFile(row.file)} is missing` : undefined;
}

/**
 * The fault of the stored terms of documents without a segment, or undefined. `quick` looks for documents without terms, `full` also compares the terms with the texts.
 */
export async function tailTermsFault(catalog: Catalog, level: 'quick' | 'full'): Promise<string | undefined> {
  const state = (): string => `${catalog.segments.sealedThrough()} ${catalog.settings.analysis()}`;
  for (;;) {
    const before = state();
    const fault = await faultOfTail(catalog, level);
    // Documents that have got a segment meanwhile, or another language, have no terms in the tail any more.
    if (fault === undefined || state() === before) return fault;
  }
}

async function faultOfTail(catalog: Catalog, level: 'quick' | 'full'): Promise<string | undefined> {
  const analysis = analysisFromSetting(catalog.settings.analysis());
  let missing = 0;
  let different = 0;
  let batch: { readonly range: TermsBatch; readonly terms: StoredTerms } | undefined;
  for (let after = catalog.segments.sealedThrough(); ; ) {
    const documents = catalog.terms.textsAfter(after, documentsPerRead);
    const last = documents.at(-1);
    if (last === undefined) break;
    for (const { key, text, metadata } of documents) {
      if (batch === undefined || key > batch.range.lastKey) {
        const range: TermsBatch | undefined = catalog.terms.covering(key);
        batch = range === undefined ? undefined : { range, terms: new StoredTerms(range) };
      }
      if (batch === undefined) missing++;
      else if (
        level === 'full' &&
        !batch.terms.has(
          key,
          text,
          languageOfDocument(analysis, () => text, metadata),
          analysis.layout?.weights,
        )
      ) {
        different++;
      }
    }
    after = last.key;
    await new Promise(setImmediate);
  }
  const faults = [
    ...(missing > 0 ? [`${missing} documents have no stored terms`] : []),
    ...(different > 0 ? [`${different} documents have stored terms that are not those of their texts`] : []),
  ];
  return faults.length === 0 ? undefined : faults.join(', ');
}

/** The terms of a batch by key; none where they cannot be read. */
class StoredTerms {
  readonly #rows: TermRows | undefined;
  readonly #places = new Map<number, number>();

  constructor({ firstKey, data }: TermsBatch) {
    try {
      this.#rows = unpackTerms(data, firstKey);
      Array.from(this.#rows.keys, (key, place) => this.#places.set(key, place));
    } catch {
      this.#rows = undefined;
    }
  }

  /** Whether a document has the terms of this text in a language, with its fields as they weigh. */
  has(key: number, text: string, language: string, weights: Readonly<Record<string, number>> | undefined): boolean {
    const place = this.#places.get(key);
    if (this.#rows === undefined || place === undefined) return false;
    const { dictionary, lengths, starts, terms, frequencies } = this.#rows;
    const { length, terms: expected } = analyzeDocument(text, language, weights);
    const [start, end] = [starts[place] as number, starts[place + 1] as number];
    if (lengths[place] !== length || end - start !== expected.size) return false;
    for (let entry = start; entry < end; entry++) {
      if (expected.get(dictionary[terms[entry] as number] as string) !== frequencies[entry]) return false;
    }
    return true;
  }
}
