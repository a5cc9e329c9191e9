import { SemanticIndexError } from '../errors.js';
import { describe } from '../options/describe.js';

/** A language that texts can be in. */
export interface Language {
  /** ISO 639-1. */
  readonly code: string;
  readonly name: string;
  /** Name of its stemmer and stop words in the packages that have them; undefined: words are indexed as they are. */
  readonly stemmer?: string | undefined;
  /** Whether words of it are in Latin letters. In a text in other letters, words in Latin letters are taken for English ones. */
  readonly isLatin: boolean;
}

const table: readonly [code: string, name: string, stemmer: string | undefined, isLatin: boolean][] = [
  ['en', 'English', 'english', true],
  ['ar', 'Arabic', 'arabic', false],
  ['bg', 'Bulgarian', 'bulgarian', false],
  ['da', 'Danish', 'danish', true],
  ['de', 'German', 'german', true],
  ['el', 'Greek', 'greek', false],
  ['es', 'Spanish', 'spanish', true],
  ['fi', 'Finnish', 'finnish', true],
  ['fr', 'French', 'french', true],
  ['ga', 'Irish', 'irish', true],
  ['hi', 'Hindi', 'indian', false],
  ['hu', 'Hungarian', 'hungarian', true],
  ['hy', 'Armenian', 'armenian', false],
  ['id', 'Indonesian', 'indonesian', true],
  ['it', 'Italian', 'italian', true],
  ['lt', 'Lithuanian', 'lithuanian', true],
  ['ne', 'Nepali', 'nepali', false],
  ['nl', 'Dutch', 'dutch', true],
  ['no', 'Norwegian', 'norwegian', true],
  ['pt', 'Portuguese', 'portuguese', true],
  ['ro', 'Romanian', 'romanian', true],
  ['ru', 'Russian', 'russian', false],
  ['sr', 'Serbian', 'serbian', true],
  ['sv', 'Swedish', 'swedish', true],
  ['ta', 'Tamil', 'tamil', false],
  ['tr', 'Turkish', 'turkish', true],
  ['uk', 'Ukrainian', 'ukrainian', false],
  ['ca', 'Catalan', undefined, true],
  ['cs', 'Czech', undefined, true],
  ['et', 'Estonian', undefined, true],
  ['eu', 'Basque', undefined, true],
  ['fa', 'Persian', undefined, false],
  ['he', 'Hebrew', undefined, false],
  ['hr', 'Croatian', undefined, true],
  ['ja', 'Japanese', undefined, false],
  ['km', 'Khmer', undefined, false],
  ['ko', 'Korean', undefined, false],
  ['lo', 'Lao', undefined, false],
  ['lv', 'Latvian', undefined, true],
  ['my', 'Burmese', undefined, false],
  ['pl', 'Polish', undefined, true],
  ['sk', 'Slovak', undefined, true],
  ['sl', 'Slovenian', undefined, true],
  ['th', 'Thai', undefined, false],
  ['vi', 'Vietnamese', undefined, true],
  ['zh', 'Chinese', undefined, false],
];

/** All languages; English comes first. The place of a language in this list is its number. */
export const languages: readonly Language[] = table.map(([code, name, stemmer, isLatin]) => ({
  code,
  name,
  stemmer,
  isLatin,
}));

const byCode = new Map(languages.map((language) => [language.code, language]));
/** Codes of languages and macrolanguages with the same words. */
const aliases: Readonly<Record<string, string>> = { nb: 'no', nn: 'no', gr: 'el', bs: 'sr', sh: 'sr' };

/** The language with a code; English for an unknown one. */
export function languageOf(code: string): Language {
  return byCode.get(code) ?? (languages[0] as Language);
}

/** The number of a language. */
export function languageNumber(code: string): number {
  return languages.indexOf(languageOf(code));
}

/** The code of a language tag (BCP 47, such as `de`, `de-AT` or `pt_BR`); undefined for an unknown language. */
export function languageCode(tag: string): string | undefined {
  const code = /^([a-z]{2})(?:[-_]|$)/i.exec(tag)?.[1]?.toLowerCase();
  if (code === undefined) return undefined;
  const known = aliases[code] ?? code;
  return byCode.has(known) ? known : undefined;
}

/**
 * The code of a language that a caller names.
 *
 * @throws INVALID_ARGUMENT with the list of languages, for an unknown one.
 */
export function checkLanguage(method: string, name: string, value: unknown): string {
  if (value === 'auto') return value;
  const code = typeof value === 'string' ? languageCode(value) : undefined;
  if (code !== undefined) return code;
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${method}: expected a language as ${name}, got ${describe(value)}`,
    { hint: `Pass 'auto' or one of ${languages.map((language) => language.code).join(', ')}.` },
  );
}
