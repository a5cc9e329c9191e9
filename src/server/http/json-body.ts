import { SemanticIndexError } from '../../index.js';
import { TimeSlice } from '../../time-slice.js';

/** Parses a short JSON text. @throws for text that is not JSON or that would change a prototype. */
export type ParsePiece = (text: string) => unknown;

/** Limits of a JSON body. */
export interface JsonLimits {
  /** Values of the body, members of arrays and objects at any depth. Default 1,000,000. */
  readonly maxValues?: number;
  /** Members of an object. Default 20,000. */
  readonly maxMembers?: number;
  /** Characters that are parsed at once. Default 32,768. */
  readonly pieceLength?: number;
}

const hint = 'Send JSON with the header `Content-Type: application/json`.';
/** Levels whose text is longer than a piece. Each level is read once more. */
const maxLongLevels = 16;
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];
const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];

/**
 * Parses a JSON body as `JSON.parse` does. A long one is parsed in pieces of about a millisecond, so that other requests are answered
 * meanwhile: 8 MB of brackets take `JSON.parse` seconds.
 *
 * @throws INVALID_ARGUMENT for text that is not JSON, that is nested too deeply, or that names `__proto__`; TOO_LARGE for too many
 *   values.
 */
export async function parseJsonBody(body: Buffer, parsePiece: ParsePiece, limits: JsonLimits = {}): Promise<unknown> {
  const { maxValues = 1_000_000, maxMembers = 20_000, pieceLength = 32_768 } = limits;
  if (body.length <= pieceLength) return parseAs(parsePiece, body.toString('utf8'));
  const slice = new TimeSlice();
  // Several bodies may have arrived at once.
  await slice.yieldIfDue();
  const text = body.toString('utf8');
  await slice.yieldIfDue();
  const start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const json = new SlicedJson(text, parsePiece, { maxValues, maxMembers, pieceLength }, slice);
  return json.value(start, text.length, 0);
}

class SlicedJson {
  readonly #text: string;
  readonly #parsePiece: ParsePiece;
  readonly #pieceLength: number;
  readonly #maxMembers: number;
  readonly #slice: TimeSlice;
  #valuesLeft: number;

  constructor(text: string, parsePiece: ParsePiece, limits: Required<JsonLimits>, slice: TimeSlice) {
    this.#text = text;
    this.#parsePiece = parsePiece;
    this.#pieceLength = limits.pieceLength;
    this.#maxMembers = limits.maxMembers;
    this.#valuesLeft = limits.maxValues;
    this.#slice = slice;
  }

  /** The value between two positions, which may have white space around it. */
  async value(from: number, to: number, level: number): Promise<unknown> {
    const text = this.#text;
    let [start, end] = [from, to];
    while (start < end && isSpace(text.charCodeAt(start))) start++;
    while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
    const [first, last] = [text.charCodeAt(start), text.charCodeAt(end - 1)];
    const isContainer = first === openBracket || first === openBrace;
    if (end - start <= this.#pieceLength || !isContainer) return parseAs(this.#parsePiece, text.slice(start, end));
    if (level === maxLongLevels) {
      throw new SemanticIndexError('INVALID_ARGUMENT', 'The body is nested too deeply', {
        hint: 'Send something flatter.',
      });
    }
    if (last !== (first === openBracket ? closeBracket : closeBrace)) throw notJson();
    return first === openBracket ? this.#array(start + 1, end - 1, level) : this.#object(start + 1, end - 1, level);
  }

  async #array(from: number, to: number, level: number): Promise<unknown[]> {
    const found: unknown[] = [];
    for await (const { start, end, isLong } of this.#groups(from, to, level)) {
      if (isLong) found.push(await this.value(start, end, level + 1));
      else for (const item of this.#group(start, end, '[', ']') as unknown[]) found.push(item);
    }
    return found;
  }

  async #object(from: number, to: number, level: number): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    let left = this.#maxMembers;
    for await (const { start, end, isLong } of this.#groups(from, to, level)) {
      const members = isLong ? await this.#longMember(start, end, level) : this.#group(start, end, '{', '}');
      left -= Object.keys(members).length;
      if (left < 0) throw tooMany(`an object with more than ${this.#maxMembers} members`);
      Object.assign(found, members);
    }
    return found;
  }

  async #longMember(from: number, end: number, level: number): Promise<Record<string, unknown>> {
    const text = this.#text;
    let start = from;
    while (isSpace(text.charCodeAt(start))) start++;
    if (text.charCodeAt(start) !== quote) throw notJson();
    let after = this.#stringEnd(start, end);
    const name = parseAs(this.#parsePiece, text.slice(start, after)) as string;
    while (isSpace(text.charCodeAt(after))) after++;
    if (text.charCodeAt(after) !== colon) throw notJson();
    const value = await this.value(after + 1, end, level + 1);
    const changesPrototype = name === 'constructor' && Object.hasOwn(Object(value), 'prototype');
    if (name === '__proto__' || changesPrototype) throw changesAPrototype();
    return { [name]: value };
  }

  /** Parses neighbouring members. */
  #group(start: number, end: number, open: string, close: string): object {
    const members = this.#text.slice(start, end);
    if (members.trim() === '') throw notJson();
    return parseAs(this.#parsePiece, open + members + close) as object;
  }

  /** The members of a container, in groups that are short enough to be parsed at once; a long member is a group of its own. */
  async *#groups(
    from: number,
    to: number,
    level: number,
  ): AsyncGenerator<{ start: number; end: number; isLong: boolean }> {
    const text = this.#text;
    const longest = this.#pieceLength;
    let [group, member, depth, position] = [from, from, 0, from];
    let nextLook = from + longest;
    while (position <= to) {
      if (position >= nextLook) {
        nextLook = position + longest;
        if (this.#slice.due()) await this.#slice.yieldIfDue();
      }
      const unit = position === to ? comma : text.charCodeAt(position);
      if (position === to && depth !== 0) throw notJson();
      if (unit === quote) {
        position = this.#stringEnd(position, to);
        continue;
      }
      if (unit === openBracket || unit === openBrace) depth++;
      else if ((unit === closeBracket || unit === closeBrace) && --depth < 0) throw notJson();
      if (level === 0 && (unit === comma || unit === openBracket || unit === openBrace)) this.#countValue();
      if (unit === comma && depth === 0) {
        if (position - member > longest) {
          if (member > group) yield { start: group, end: member - 1, isLong: false };
          yield { start: member, end: position, isLong: true };
          group = position + 1;
        } else if (position - group > longest || position === to) {
          yield { start: group, end: position, isLong: false };
          group = position + 1;
        }
        member = position + 1;
      }
      position++;
    }
  }

  #countValue(): void {
    if (--this.#valuesLeft >= 0) return;
    throw tooMany('more values than are allowed');
  }

  /** The position behind the string that begins at `start`. */
  #stringEnd(start: number, to: number): number {
    const text = this.#text;
    for (let end = text.indexOf('"', start + 1); end >= 0 && end < to; end = text.indexOf('"', end + 1)) {
      let escapes = end;
      while (text.charCodeAt(escapes - 1) === backslash) escapes--;
      if ((end - escapes) % 2 === 0) return end + 1;
    }
    throw notJson();
  }
}

function parseAs(parsePiece: ParsePiece, text: string): unknown {
  try {
    return parsePiece(text);
  } catch (cause) {
    throw refusal(text, cause);
  }
}

function tooMany(what: string): SemanticIndexError {
  return new SemanticIndexError('TOO_LARGE', `The body has ${what}`, {
    hint: 'Send fewer documents, queries, conditions or fields at a time.',
  });
}

/** Why the parser refuses a text: it also refuses what JSON.parse accepts, see `ParsePiece`. */
function refusal(text: string, cause: unknown): SemanticIndexError {
  if (text.trim() === '') return notJson(', got an empty one', cause);
  try {
    JSON.parse(text);
  } catch (error) {
    // Positions are those in a part of the body.
    const [fault = ''] = (error as Error).message.split(/ (?:in JSON )?at position /);
    return notJson(`: ${fault.slice(0, 200)}`, cause);
  }
  return changesAPrototype(cause);
}

function notJson(fault = '', cause?: unknown): SemanticIndexError {
  return new SemanticIndexError('INVALID_ARGUMENT', `Expected a body of JSON${fault}`, { hint, cause });
}

function changesAPrototype(cause?: unknown): SemanticIndexError {
  const message = 'Expected a body without the names "__proto__" and "constructor.prototype"';
  return new SemanticIndexError('INVALID_ARGUMENT', message, { hint: 'Rename these members.', cause });
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
}
