import { isUtf8 } from 'node:buffer';
import { SemanticIndexError } from '../errors.js';
import { describe } from '../options.js';

/** The text of a file, or the reason why its bytes cannot be decoded. */
export type DecodedText =
  | { readonly kind: 'text'; readonly text: string; readonly encoding: string }
  /** Not text in any encoding. */
  | { readonly kind: 'binary'; readonly reason: string }
  /** Probably text in another encoding. */
  | { readonly kind: 'undecodable'; readonly reason: string; readonly encoding: string };

const marks: readonly (readonly [encoding: string, bytes: readonly number[]])[] = [
  // Before UTF-16, whose byte-order mark is a prefix of this one.
  ['utf-32le', [0xff, 0xfe, 0, 0]],
  ['utf-32be', [0, 0, 0xfe, 0xff]],
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/** Control characters are rare in text; one byte each in UTF-8 and in every superset of ASCII. */
const maxControlShare = 0.05;
const sampledBytes = 65_536;

/** Encodings whose bytes may also be valid UTF-8: if one of them is requested, it is tried first. */
const neverMistakenForUtf8 = /^(?:utf-16|utf-32|iso-2022)/;

/**
 * Decodes a text file. A byte-order mark decides the encoding. Without one: UTF-8 if the bytes are valid, UTF-16 or
 * UTF-32 if the zero bytes match that encoding, otherwise `fallback`. Never inserts replacement characters: invalid
 * bytes are reported.
 */
export function decodeText(bytes: Uint8Array, fallback?: string): DecodedText {
  const marked = markOf(bytes);
  if (marked !== undefined) return decodedAs(marked.encoding, bytes.subarray(marked.length));
  if (fallback !== undefined && neverMistakenForUtf8.test(fallback)) return decodedAs(fallback, bytes);
  if (bytes.includes(0)) return wideText(bytes) ?? { kind: 'binary', reason: 'it has zero bytes' };
  if (hasManyControls(bytes)) return { kind: 'binary', reason: 'it has many control characters' };
  if (isUtf8(bytes)) return decodedAs('utf-8', bytes);
  return decodedAs(fallback ?? 'utf-8', bytes);
}

/** The encoding of a byte-order mark, and the length of the mark. */
export function markOf(bytes: Uint8Array): { readonly encoding: string; readonly length: number } | undefined {
  const found = marks.find(([, mark]) => mark.every((byte, position) => bytes[position] === byte));
  return found === undefined ? undefined : { encoding: found[0], length: found[1].length };
}

/**
 * The standard name of an encoding, such as `windows-1252` for `latin1`.
 *
 * @throws INVALID_ARGUMENT for an unknown label.
 */
export function encodingNamed(label: unknown, what: string): string {
  try {
    if (typeof label === 'string' && /^utf-32[lb]e$/i.test(label)) return label.toLowerCase();
    if (typeof label === 'string') return new TextDecoder(label, { fatal: true }).encoding;
  } catch {
    // An unknown label is reported below.
  }
  throw new SemanticIndexError(
    'INVALID_ARGUMENT',
    `${what}: expected the name of an encoding, got ${describe(label)}`,
    {
      hint: 'Pass a label of the Encoding Standard, such as windows-1252, latin1, shift_jis, gb18030 or utf-16le.',
    },
  );
}

function decodedAs(encoding: string, bytes: Uint8Array): DecodedText {
  const text = encoding.startsWith('utf-32') ? fromUtf32(bytes, encoding === 'utf-32le') : decoded(encoding, bytes);
  if (text === undefined) return { kind: 'undecodable', encoding, reason: whereInvalid(encoding, bytes) };
  return text.includes('\0') ? { kind: 'binary', reason: 'it has zero characters' } : { kind: 'text', text, encoding };
}

function decoded(encoding: string, bytes: Uint8Array): string | undefined {
  try {
    // The mark was removed: a second one is part of the text.
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function fromUtf32(bytes: Uint8Array, littleEndian: boolean): string | undefined {
  if (bytes.length % 4 !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: string[] = [];
  let points: number[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    const point = view.getUint32(at, littleEndian);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined;
    points.push(point);
    if (points.length === 4096) {
      pieces.push(String.fromCodePoint(...points));
      points = [];
    }
  }
  return pieces.join('') + String.fromCodePoint(...points);
}

/** Decodes UTF-16 or UTF-32 without a byte-order mark: the zero bytes of ASCII characters are all on one side. */
function wideText(bytes: Uint8Array): DecodedText | undefined {
  const zeros = [0, 0, 0, 0];
  const sample = bytes.subarray(0, sampledBytes);
  sample.forEach((byte, position) => {
    if (byte === 0) zeros[position % 4] = (zeros[position % 4] as number) + 1;
  });
  const [a, b, c, d] = zeros as [number, number, number, number];
  const quarter = Math.ceil(sample.length / 4);
  const candidates: readonly (readonly [encoding: string, possible: boolean])[] = [
    ['utf-32le', d === quarter],
    ['utf-32be', a === quarter],
    ['utf-16le', a + c === 0],
    ['utf-16be', b + d === 0],
  ];
  for (const [encoding, possible] of candidates) {
    const result = possible ? decodedAs(encoding, bytes) : undefined;
    if (result?.kind === 'text' && isPlausible(result.text) && !isAsciiInPairs(sample, result.text)) return result;
  }
  return undefined;
}

/** Whether decoded characters look like text: all assigned, no control characters, some ASCII. */
function isPlausible(text: string): boolean {
  const sample = text.slice(0, sampledBytes);
  // The slice may end within a surrogate pair.
  const whole = sample.replace(/[\ud800-\udbff]$/, '');
  if (/[^\P{Cc}\t\n\f\r]|[\p{Cs}\p{Co}\p{Cn}]/u.test(whole)) return false;
  const ascii = sample.match(/[\t\n\r -~]/g)?.length ?? 0;
  return ascii >= sample.length * (sample.length < 64 ? 0.3 : 0.01);
}

/** Whether characters beyond ASCII are pairs of printable ASCII: strings that end with a zero byte, not UTF-16. */
function isAsciiInPairs(sample: Uint8Array, text: string): boolean {
  const isPrintable = (byte: number): boolean => (byte >= 32 && byte < 127) || (byte >= 9 && byte <= 13);
  return /[^\0-\x7f]/.test(text) && sample.every((byte) => byte === 0 || isPrintable(byte));
}

function hasManyControls(bytes: Uint8Array): boolean {
  const sample = bytes.subarray(0, sampledBytes);
  let controls = 0;
  for (const byte of sample) if ((byte < 32 && (byte < 7 || byte > 13) && byte !== 27) || byte === 127) controls++;
  return controls > sample.length * maxControlShare;
}

function whereInvalid(encoding: string, bytes: Uint8Array): string {
  if (encoding !== 'utf-8') return `it is not valid ${encoding}`;
  const offset = firstInvalid(bytes);
  let line = 1;
  for (let at = bytes.indexOf(10); at >= 0 && at < offset; at = bytes.indexOf(10, at + 1)) line++;
  const byte = (bytes[offset] ?? 0).toString(16).padStart(2, '0');
  return `it is not UTF-8: line ${line} has the byte 0x${byte} at offset ${offset}`;
}

/**
 * Offset of the first invalid UTF-8 sequence, by binary search: every prefix of valid UTF-8 is valid up to its last
 * character.
 */
function firstInvalid(bytes: Uint8Array): number {
  let low = 0;
  let high = bytes.length;
  // The longest valid prefix is at least `low` and less than `high` bytes long.
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    let cut = middle;
    while (cut > low && ((bytes[cut] ?? 0) & 0xc0) === 0x80 && middle - cut < 3) cut--;
    if (cut > low && isUtf8(bytes.subarray(low, cut))) low = cut;
    else if (cut > low) high = cut;
    else break;
  }
  for (let length = 1; low < bytes.length && length <= 4; ) {
    if (isUtf8(bytes.subarray(low, low + length))) {
      low += length;
      length = 1;
    } else length++;
  }
  return low;
}
