import { SemanticIndexError } from '../../errors.js';
import { describe } from '../../options.js';
import type { DocumentId } from '../../types.js';

/** Longest name of PostgreSQL, in bytes; longer ones are cut without a word. */
const maxNameBytes = 63;

/** Quotes a name, so that none of its characters has a meaning in SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a string that is part of a statement, where parameters are not possible: in indexes. */
export function quoteText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** Strings as PostgreSQL reads an array of them. */
export function textArray(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${/["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`).join(',')}}`;
}

/** @throws INVALID_ARGUMENT unless PostgreSQL can have a schema with this name, and it is not one of its own. */
export function checkSchemaName(name: string): string {
  const isPossible =
    name !== '' && !name.includes('\0') && name.isWellFormed() && Buffer.byteLength(name) <= maxNameBytes;
  if (isPossible && !/^pg_|^information_schema$/.test(name)) return name;
  const message = `postgres: expected the name of a schema of 1 to ${maxNameBytes} bytes, got ${describe(name)}`;
  throw new SemanticIndexError('INVALID_ARGUMENT', message, {
    hint: 'Names that begin with pg_ belong to the server.',
  });
}

/** Text that PostgreSQL cannot store as it is: it has no U+0000, and no halves of surrogate pairs. */
const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

/** An id as text: `s` and a string, `n` and a number, or `e` and a string as JSON, where PostgreSQL cannot store it. */
export function idToText(id: DocumentId): string {
  if (typeof id === 'number') return `n${id}`;
  return isStorable(id) ? `s${id}` : `e${JSON.stringify(id)}`;
}

export function idFromText(text: string): DocumentId {
  const rest = text.slice(1);
  if (text[0] === 'n') return Number(rest);
  return text[0] === 's' ? rest : (JSON.parse(rest) as string);
}

/** A name of a setting as text that can be stored; it may hold parts of ids. */
export function settingToText(name: string): string {
  return isStorable(name) ? name : JSON.stringify(name);
}

const isMapped = (text: string): boolean => text.includes('\0') || text.includes('\u0001') || !text.isWellFormed();
const mayNeedMapping = /\\u(?:000[01]|d[89a-f])/i;

/**
 * A string of metadata as jsonb can hold it. U+0000 becomes U+0001 U+0001, and U+0001 becomes U+0001 U+0002: different strings stay
 * different, and their order stays the same. Halves of surrogate pairs become U+FFFD, as in every UTF-8.
 */
export function jsonbString(text: string): string {
  if (!isMapped(text)) return text;
  return text.toWellFormed().replaceAll('\u0001', '\u0001\u0002').replaceAll('\0', '\u0001\u0001');
}

/** Metadata (JSON) as jsonb can hold it. */
export function jsonbOf(json: string | null): string | null {
  if (json === null || !mayNeedMapping.test(json)) return json;
  return JSON.stringify(mapped(JSON.parse(json)));
}

function mapped(value: unknown): unknown {
  if (typeof value === 'string') return jsonbString(value);
  if (Array.isArray(value)) return value.map(mapped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [jsonbString(key), mapped(one)]));
}

/** The bytes of a text: PostgreSQL cannot store U+0000 in other ways. */
export function textToBytes(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

export function textFromBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** An address without user, password and parameters. */
export function publicAddress(connectionString: string | undefined): string {
  return connectionString?.replace(/\/\/[^@/]*@/, '//').replace(/[?#].*$/s, '') ?? 'postgres://';
}
