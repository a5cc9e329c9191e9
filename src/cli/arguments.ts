import { InvalidArgumentError } from 'commander';
import { type DocumentId, type SemanticIndex, SemanticIndexError } from '../index.js';

/** Parses a positive integer. */
export function positiveInteger(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError(`Expected a positive integer, got ${text}.`);
}

/** Parses a non-negative integer. */
export function naturalNumber(text: string): number {
  const number = Number(text);
  if (text !== '' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError(`Expected a non-negative integer, got ${text}.`);
}

/** Collects the values of an option that may be given several times. */
export function eachValue(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** Parses any finite number. */
export function finiteNumber(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number)) return number;
  throw new InvalidArgumentError(`Expected a number, got ${text}.`);
}

/** Parses weights by field: `title=3,body=1`. */
export function fieldWeights(text: string): Readonly<Record<string, number>> {
  const entries = text.split(',').map((part): [string, number] => {
    const [field = '', weight = '', ...rest] = part.split('=');
    if (field.trim() === '' || weight.trim() === '' || rest.length > 0) {
      throw new InvalidArgumentError(`Expected weights such as title=3,body=1, got ${text}.`);
    }
    return [field.trim(), finiteNumber(weight)];
  });
  return Object.fromEntries(entries);
}

/** Parses a finite number from zero up. */
export function nonNegativeNumber(text: string): number {
  const number = finiteNumber(text);
  if (number >= 0) return number;
  throw new InvalidArgumentError(`Expected a non-negative number, got ${text}.`);
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
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `The index has both the string ${JSON.stringify(text)} and the number ${text} as ids`,
        {
          hint: 'Use the library, or --where with a field that only one of them has.',
        },
      );
    }
    const [document] = found;
    if (document === undefined) {
      throw new SemanticIndexError('NOT_FOUND', `No document has the id ${JSON.stringify(text)}`, {
        hint: 'List the ids with: semantic-index list INDEX',
      });
    }
    ids.push(document.id);
  }
  return ids;
}
