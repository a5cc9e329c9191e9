import { detectLanguage } from './detect-language.js';
import { textOf } from './fields/stored-text.js';
import { checkLayout, layoutAfter, type TextLayout, type TextOptions } from './fields/text-layout.js';
import { languageCode, languageOf } from './languages.js';

/** How the texts of an index are analyzed. */
export interface TextAnalysis {
  /** The language of its documents: a code, or `auto` to detect that of each. */
  readonly language: string;
  /** Path of the metadata field that names the language of a document. */
  readonly field?: string | undefined;
  /** The fields of texts; undefined in an index whose texts are strings. */
  readonly layout?: TextLayout | undefined;
  /** Whether the exact forms of words are indexed beside their stems: not in English, and not by earlier versions. */
  readonly exactForms?: boolean | undefined;
}

/** How the texts of an index are analyzed that says nothing else: those of earlier versions. */
export const englishAnalysis: TextAnalysis = { language: 'en' };

/** As a setting of the index; equal for equal analyses. */
export function analysisToSetting({ language, field, layout, exactForms }: TextAnalysis): string {
  return JSON.stringify({
    language,
    ...(field !== undefined && { field }),
    ...(layout !== undefined && { layout }),
    ...(exactForms === true && { exactForms }),
  });
}

/** The options of an index that say how its texts are analyzed; undefined where that is to stay as it is. */
export interface AnalysisOptions extends TextOptions {
  readonly language: string | undefined;
  readonly languageField: string | null | undefined;
}

/** The analysis after an index was opened with options. @throws INVALID_ARGUMENT where fields of texts would have to change. */
export function changedAnalysis(before: TextAnalysis, options: AnalysisOptions, hasDocuments: boolean): TextAnalysis {
  const { language, languageField } = options;
  const field = languageField === undefined ? before.field : (languageField ?? undefined);
  const layout = layoutAfter(before.layout, options, hasDocuments);
  const after = language ?? before.language;
  return {
    language: after,
    ...(field !== undefined && { field }),
    ...(layout !== undefined && { layout }),
    ...(hasExactForms({ language: after, field }) && { exactForms: true }),
  };
}

const parsed = new Map<string, TextAnalysis>();

/** The analysis that a setting describes. */
export function analysisFromSetting(setting: string): TextAnalysis {
  const known = parsed.get(setting);
  if (known !== undefined) return known;
  let analysis = englishAnalysis;
  try {
    const { language, field, layout, exactForms } = JSON.parse(setting) as Partial<TextAnalysis>;
    const code = language === 'auto' ? language : languageCode(String(language));
    if (code !== undefined) {
      const checked = layout === undefined ? undefined : checkLayout(layout);
      analysis = {
        language: code,
        ...(typeof field === 'string' && { field }),
        ...(checked && { layout: checked }),
        ...(exactForms === true && { exactForms }),
      };
    }
  } catch {
    // Damaged: what an earlier version would do.
  }
  parsed.set(setting, analysis);
  return analysis;
}

/** Name of the setting. */
export const analysisSettingName = 'analysis';

/** Of an index that says nothing else. */
export const englishSetting = analysisToSetting(englishAnalysis);

/** Whether documents may be in a language that indexes the exact forms of words. */
function hasExactForms(analysis: TextAnalysis): boolean {
  const { stemmer } = languageOf(analysis.language);
  return hasLanguages(analysis) || (analysis.language !== 'en' && stemmer !== undefined);
}

/** Whether documents may be in several languages. */
export function hasLanguages({ language, field }: TextAnalysis): boolean {
  return language === 'auto' || field !== undefined;
}

/** The value at the path of a field: that of the whole path as one key, or of its keys one below the other. */
export function valueAt(metadata: unknown, field: string): unknown {
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  if (Object.hasOwn(metadata, field)) return (metadata as Record<string, unknown>)[field];
  const dot = field.indexOf('.');
  if (dot < 0 || !Object.hasOwn(metadata, field.slice(0, dot))) return undefined;
  return valueAt((metadata as Record<string, unknown>)[field.slice(0, dot)], field.slice(dot + 1));
}

/** The language that the metadata of a document (JSON) names; undefined where it names none. */
export function namedLanguage({ field }: TextAnalysis, metadata: string | null | undefined): string | undefined {
  if (field === undefined || metadata === null || metadata === undefined) return undefined;
  try {
    const value = valueAt(JSON.parse(metadata), field);
    return typeof value === 'string' ? languageCode(value) : undefined;
  } catch {
    return undefined;
  }
}

/** The language of a document: that which its metadata names, else that of the index, else that which its text is written in. */
export function languageOfDocument(analysis: TextAnalysis, text: () => string, metadata?: string | null): string {
  const named = namedLanguage(analysis, metadata);
  if (named !== undefined) return named;
  return analysis.language === 'auto' ? detectLanguage(textOf(text())) : analysis.language;
}

/** Languages that queries are analyzed in: those that documents may be in. `found` are those that documents were in so far. */
export function queryLanguages({ language, field }: TextAnalysis, found: readonly string[]): readonly string[] {
  if (language !== 'auto' && field === undefined) return [language];
  const first = language === 'auto' ? 'en' : language;
  return [first, ...found.filter((code) => code !== first)];
}
