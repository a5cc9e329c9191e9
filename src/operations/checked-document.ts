import { types } from 'node:util';
import { fieldValuesOf, isMarked, storedString, textOf } from '../analysis/fields/stored-text.js';
import { layOut, type TextLayout } from '../analysis/fields/text-layout.js';
import { contentHash, contentHashes } from '../backend/content-hash.js';
import type { StoredDocument } from '../backend/documents.js';
import { parseMetadata } from '../backend/stored-json.js';
import { SemanticIndexError } from '../errors.js';
import { describe, suggestName } from '../options.js';
import type { Document, DocumentId, DocumentInput, Metadata } from '../types.js';

/** A document that passed all checks, in the form in which it is stored. */
export interface CheckedDocument {
  readonly id: DocumentId;
  /** Its place among the documents of the call. */
  readonly position: number;
  /** The caller named it, so it may occur only once in a call. */
  readonly named: boolean;
  /** As it is stored: see `storedFields`. */
  readonly text: string;
  /** Content hash of the text, or of the vector where the caller gave one. */
  readonly hash: string;
  readonly metadata: string | null;
  readonly vector: Float32Array | undefined;
}

/** A document that passed all checks, as the caller gave it. */
export interface CheckedInput {
  readonly id: DocumentId | undefined;
  /** As it is stored. */
  readonly text: string;
  readonly metadata: object | undefined;
  readonly vector: Float32Array | undefined;
}

const members = ['id', 'text', 'textFields', 'metadata', 'vector'];

/** A document that passed all checks, before it is hashed. */
export interface UnhashedDocument extends Omit<CheckedDocument, 'id' | 'hash' | 'named'> {
  readonly id: DocumentId | undefined;
}

/** Checks a document as `checkInput` does, and derives the form in which it is stored. */
export function checkDocument(
  input: string | DocumentInput,
  position: number,
  layout: TextLayout | undefined,
  place?: string,
): CheckedDocument {
  const document = checkUnhashed(input, position, layout, place);
  const { text, vector } = document;
  return named(document, vector === undefined ? contentHash(text) : contentHash(bytesOf(vector), text));
}

/** As `checkDocument`, without its hash and an id derived from it. */
export function checkUnhashed(
  input: string | DocumentInput,
  position: number,
  layout: TextLayout | undefined,
  place?: string,
): UnhashedDocument {
  const { id, text, metadata, vector } = checkInput(input, position, layout, place);
  return { id, position, text, metadata: metadata === undefined ? null : jsonOf(metadata), vector };
}

/** Hashes documents: as `checkDocument` one by one, in less time. */
export function hashDocuments(documents: readonly UnhashedDocument[]): CheckedDocument[] {
  const hashes = contentHashes(documents.map(({ text, vector }) => (vector === undefined ? text : '')));
  return documents.map((document, place) => {
    const { text, vector } = document;
    return named(document, vector === undefined ? (hashes[place] as string) : contentHash(bytesOf(vector), text));
  });
}

function named({ id, position, text, metadata, vector }: UnhashedDocument, hash: string): CheckedDocument {
  return {
    id: id ?? contentHash(text, metadata ?? ''),
    position,
    named: id !== undefined,
    text,
    hash,
    metadata,
    vector,
  };
}

/**
 * Checks what the caller gave as a document; `place` names it in messages, `layout` is that of the texts of the index.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION (a misspelt member), INVALID_TEXT, INVALID_ID, INVALID_METADATA,
 * INVALID_VECTOR.
 */
export function checkInput(
  input: string | DocumentInput,
  position: number,
  layout: TextLayout | undefined,
  place?: string,
): CheckedInput {
  const document = typeof input === 'string' ? { text: input } : input;
  const where = place ?? nameOf(position, (document as { id?: unknown } | null | undefined)?.id);
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `${where} is ${describe(input)}`, {
      hint: 'A document is a string, or an object with text and, if you like, id, metadata and vector.',
    });
  }
  for (const member of Object.keys(document)) {
    if (members.includes(member)) continue;
    const meant = suggestName(member, members);
    throw new SemanticIndexError('UNKNOWN_OPTION', `${where} has an unknown member "${member}"`, {
      hint:
        meant === undefined ? 'Put it into metadata.' : `Did you mean "${meant}"? Other facts belong into metadata.`,
    });
  }
  const { id, metadata } = document;
  const vector = document.vector === undefined ? undefined : checkVector(document.vector, where);
  const text = storedTextOf(document, layout, where, vector !== undefined);
  if (id !== undefined) checkId(id, where);
  if (metadata !== undefined) requireMetadata(metadata, where);
  return { id, text, metadata, vector };
}

/** The text of a document as it is stored. */
function storedTextOf(
  { text, textFields }: DocumentInput,
  layout: TextLayout | undefined,
  where: string,
  hasVector: boolean,
): string {
  if (textFields === undefined && (typeof text !== 'object' || text === null || Array.isArray(text))) {
    return storedString(checkText(text, where, hasVector));
  }
  const fields = textFields ?? text;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new SemanticIndexError('INVALID_TEXT', `The textFields of ${where} are ${describe(fields)}`, {
      hint: 'Pass strings by field.',
    });
  }
  const stored = layOut(fields, layout, where, hasVector);
  if (textFields !== undefined && text !== undefined && text !== textOf(stored)) {
    throw new SemanticIndexError('INVALID_TEXT', `The text of ${where} is not the text that its textFields make`, {
      hint: 'Leave out `text`; or open the index with the `textFields` and the `textTemplate` of the index that they are from.',
    });
  }
  return stored;
}

/** How a message names a document of a call: by its place, and by its id where it has one. */
export function nameOf(position: number, id: unknown): string {
  return typeof id === 'string' || typeof id === 'number'
    ? `document ${position} (id ${describe(id)})`
    : `document ${position}`;
}

/** @throws INVALID_TEXT when it is not a string that holds more than white space. */
export function checkText(text: unknown, where: string, mayBeEmpty = false): string {
  if (mayBeEmpty && text === undefined) return '';
  if (typeof text !== 'string')
    throw new SemanticIndexError('INVALID_TEXT', `The text of ${where} is ${describe(text)}`);
  if (!mayBeEmpty && text.trim() === '') throw new SemanticIndexError('INVALID_TEXT', `The text of ${where} is empty`);
  // A lone half of a surrogate pair cannot be stored as UTF-8 and would come back as something else.
  return text.isWellFormed() ? text : text.toWellFormed();
}

/** @throws INVALID_ID when it is neither a non-empty string nor a safe integer. */
export function checkId(id: unknown, where: string): DocumentId {
  if (typeof id === 'string' ? id !== '' && id.isWellFormed() : Number.isSafeInteger(id)) return id as DocumentId;
  throw new SemanticIndexError('INVALID_ID', `The id of ${where} is ${describe(id)}`);
}

/** @throws INVALID_ARGUMENT when it is not an array, INVALID_ID when a member is not an id. */
export function checkIds(method: string, ids: unknown): DocumentId[] {
  if (!Array.isArray(ids)) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `${method}: expected an array of ids, got ${describe(ids)}`);
  }
  return ids.map((id, position) => checkId(id, `argument ${position}`));
}

/** @throws INVALID_VECTOR when it is not an array of finite numbers, at least one of them not zero. */
export function checkVector(vector: unknown, where: string): Float32Array {
  if (!types.isFloat32Array(vector) && !Array.isArray(vector)) {
    throw new SemanticIndexError('INVALID_VECTOR', `The vector of ${where} is ${describe(vector)}`, {
      hint: 'Pass a Float32Array or an array of numbers.',
    });
  }
  const other = Array.isArray(vector) ? vector.findIndex((value) => typeof value !== 'number') : -1;
  if (other >= 0) {
    const got = describe((vector as unknown[])[other]);
    throw new SemanticIndexError('INVALID_VECTOR', `The vector of ${where} has ${got} at ${other}, expected a number`);
  }
  const numbers = Float32Array.from(vector as ArrayLike<number>);
  const bad = numbers.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new SemanticIndexError(
      'INVALID_VECTOR',
      `The vector of ${where} has ${String(vector[bad])} at ${bad}, expected a finite 32-bit float`,
    );
  }
  if (numbers.length === 0 || numbers.every((value) => value === 0)) {
    throw new SemanticIndexError(
      'INVALID_VECTOR',
      `The vector of ${where} is ${numbers.length === 0 ? 'empty' : 'zero'}`,
      {
        hint: 'A vector needs a direction: at least one number that is not zero.',
      },
    );
  }
  const length = Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0));
  if (length < 1e-18 || length > 1e18) {
    throw new SemanticIndexError(
      'INVALID_VECTOR',
      `The vector of ${where} has the length ${length.toPrecision(3)}, expected 1e-18 to 1e18`,
      { hint: 'Scale the vectors, for example to length 1: squares of other lengths do not fit into floats.' },
    );
  }
  return numbers;
}

/**
 * Metadata as JSON; null for an empty object, as which none is given back.
 *
 * @throws INVALID_METADATA when JSON cannot represent it.
 */
export function checkMetadata(metadata: unknown, where: string): string | null {
  requireMetadata(metadata, where);
  return jsonOf(metadata);
}

function jsonOf(metadata: object): string | null {
  const json = JSON.stringify(metadata);
  return json === '{}' ? null : json;
}

function requireMetadata(metadata: unknown, where: string): asserts metadata is object {
  const fail = (what: string, hint?: string): SemanticIndexError =>
    new SemanticIndexError('INVALID_METADATA', `The metadata of ${where} ${what}`, hint === undefined ? {} : { hint });
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw fail(`is ${describe(metadata)}`);
  }
  checkJson(metadata, '', fail, 0);
}

type Fail = (what: string, hint?: string) => SemanticIndexError;

function checkJson(value: unknown, path: string, fail: Fail, depth: number): void {
  if (depth > 100) throw fail('is nested more than 100 levels deep, or in a circle');
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw fail(`has ${value} at "${path}", which JSON cannot represent`);
    return;
  }
  const proto = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined;
  if (!Array.isArray(value) && proto !== Object.prototype && proto !== null) {
    const got = typeof value === 'bigint' ? `the BigInt ${value}` : describe(value);
    throw fail(
      `has ${got} at "${path}": expected strings, numbers, booleans, null, lists and plain objects`,
      asJson(value),
    );
  }
  for (const [name, member] of Object.entries(value)) {
    checkJson(member, path === '' ? name : `${path}.${name}`, fail, depth + 1);
  }
}

/** How a value that JSON does not have is written in it. */
function asJson(value: unknown): string | undefined {
  if (value instanceof Date) return 'Pass date.toISOString(), a string that filters order by time, or date.getTime().';
  if (typeof value === 'bigint') return 'Pass a string, or a number where it is at most 2^53.';
  if (value instanceof Set) return 'Pass a list: [...set].';
  if (value instanceof Map) return 'Pass an object: Object.fromEntries(map).';
  return undefined;
}

function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** A document as stored, as the caller sees it. */
export function documentOf<M extends Metadata>({
  id,
  text,
  metadata,
}: Pick<StoredDocument, 'id' | 'text' | 'metadata'>): Document<M> {
  const parsed = parseMetadata(metadata, id) as M;
  if (!isMarked(text)) return { id, text, metadata: parsed };
  const textFields = fieldValuesOf(text);
  return { id, text: textOf(text), ...(textFields !== undefined && { textFields }), metadata: parsed };
}
