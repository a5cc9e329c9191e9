import { analyzeDocument } from '../../analysis/analyze.js';
import { unpackTerms } from '../../analysis/packed-terms.js';
import { languageOfDocument, type TextAnalysis } from '../../analysis/text-analysis.js';
import type { DocumentTerms } from '../../backend/documents.js';
import { TimeSlice } from '../../time-slice.js';

/** The terms of one document, as PostgreSQL reads arrays. */
export interface TermArrays {
  readonly length: number;
  readonly terms: readonly string[];
  readonly frequencies: readonly number[];
}

/** The terms of some documents, and the languages that they are in. */
export interface AnalyzedDocuments {
  readonly rows: readonly TermArrays[];
  readonly languages: readonly string[];
}

/** A document that is analyzed here. */
export interface DocumentText {
  readonly text: string;
  readonly metadata: string | null;
}

/** Analyzes documents, in slices. */
export async function analyzeTexts(
  documents: readonly DocumentText[],
  analysis: TextAnalysis,
): Promise<AnalyzedDocuments> {
  const slice = new TimeSlice();
  const languages = new Set<string>();
  const rows: TermArrays[] = [];
  for (const { text, metadata } of documents) {
    const language = languageOfDocument(analysis, () => text, metadata);
    languages.add(language);
    const { length, terms } = analyzeDocument(text, language, analysis.layout?.weights);
    rows.push({ length, terms: [...terms.keys()], frequencies: [...terms.values()] });
    if (slice.due()) await slice.yieldIfDue();
  }
  return { rows, languages: [...languages] };
}

/** Terms that were packed elsewhere, document by document. */
export async function unpackDocuments({ packed, languages }: DocumentTerms): Promise<AnalyzedDocuments> {
  const slice = new TimeSlice();
  const { dictionary, lengths, starts, terms, frequencies } = unpackTerms(packed);
  const rows: TermArrays[] = [];
  for (let document = 0; document < lengths.length; document++) {
    const [start, end] = [starts[document] as number, starts[document + 1] as number];
    const own: TermArrays = {
      length: lengths[document] as number,
      terms: new Array(end - start),
      frequencies: new Array(end - start),
    };
    for (let entry = start; entry < end; entry++) {
      (own.terms as string[])[entry - start] = dictionary[terms[entry] as number] as string;
      (own.frequencies as number[])[entry - start] = frequencies[entry] as number;
    }
    rows.push(own);
    if (slice.due()) await slice.yieldIfDue();
  }
  return { rows, languages };
}
