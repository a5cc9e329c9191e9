import { InvalidArgumentError } from 'commander';
import { type DocumentId, type SemanticIndex, SemanticIndexError, type Where } from '../index.js';

/** Parses a whole number above zero. */
export function positiveInteger(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('It is a whole number above zero.');
}

/** Parses a whole number from zero up. */
export function naturalNumber(text: string): number {
  const number = Number(text);
  if (text !== '' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError('It is a whole number from zero up.');
}

/** Collects the values of an option that may be given several times. */
export function eachValue(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** Parses any finite number. */
export function finiteNumber(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number)) return number;
  throw new InvalidArgumentError('It is a number.');
}

/**
 * Parses a condition, `lang=en` or JSON as in `{"year":{"$lt":1900}}`; several must all hold. What stands behind `=` is JSON
 * where it can be, else a string.
 */
export function condition(text: string, before: Where | undefined): Where {
  const parsed = text.trimStart().startsWith('{') ? parseJson(text) : parseEquation(text);
  return before === undefined ? parsed : { $and: [before, parsed] };
}

function parseJson(text: string): Where {
  try {
    return JSON.parse(text) as Where;
  } catch (error) {
    throw new InvalidArgumentError(`It is no JSON: ${(error as Error).message}`);
  }
}

function parseEquation(text: string): Where {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('It is FIELD=VALUE, or JSON such as {"year":{"$lt":1900}}.');
  const value = text.slice(equals + 1);
  try {
    return { [text.slice(0, equals)]: JSON.parse(value) };
  } catch {
    return { [text.slice(0, equals)]: value };
  }
}

/**
 * The ids that arguments stand for. `12` may be the string or the number: the one that the index has is meant.
 *
 * @throws NOT_FOUND, INVALID_ARGUMENT when the index has both.
 */
export async function existingIds(index: SemanticIndex, texts: readonly string[]): Promise<DocumentId[]> {
  const ids: DocumentId[] = [];
  for (const text of texts) {
    const number = /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
    const candidates: DocumentId[] = number === undefined ? [text] : [text, number];
    const found = (await index.getDocuments(candidates)).flatMap((document) => document ?? []);
    if (found.length > 1) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `The index has both "${text}" and the number ${text}`, {
        hint: 'Use the library, or --where with a field that only one of them has.',
      });
    }
    const [document] = found;
    if (document === undefined) throw new SemanticIndexError('NOT_FOUND', `No document has the id "${text}"`);
    ids.push(document.id);
  }
  return ids;
}
