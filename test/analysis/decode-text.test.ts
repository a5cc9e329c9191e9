import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText, encodingNamed } from '../../src/analysis/decode-text.js';

const marks: Record<string, number[]> = {
  'utf-8': [0xef, 0xbb, 0xbf],
  'utf-16le': [0xff, 0xfe],
  'utf-16be': [0xfe, 0xff],
  'utf-32le': [0xff, 0xfe, 0, 0],
  'utf-32be': [0, 0, 0xfe, 0xff],
};

/** Encoders written for this test alone. */
function encode(text: string, encoding: string): number[] {
  if (encoding === 'utf-8') return [...Buffer.from(text)];
  const units = encoding.startsWith('utf-16')
    ? [...Array(text.length).keys()].map((at) => text.charCodeAt(at))
    : [...text].map((character) => character.codePointAt(0) as number);
  const width = encoding.startsWith('utf-16') ? 2 : 4;
  return units.flatMap((unit) => {
    const bytes = Array.from({ length: width }, (_, place) => (unit >>> (8 * place)) & 0xff);
    return encoding.endsWith('le') ? bytes : bytes.reverse();
  });
}

function reference(encoding: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Bytes as files have them: random, of text, cut, with a mark before them or a few bytes changed. */
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc
    .tuple(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom(...Object.keys(marks)),
      fc.boolean(),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 2 }),
      fc.nat(3),
    )
    .map(([text, encoding, marked, changes, cut]) => {
      const bytes = Uint8Array.from([...(marked ? (marks[encoding] as number[]) : []), ...encode(text, encoding)]);
      for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
      return bytes.subarray(0, Math.max(0, bytes.length - cut));
    }),
);
const text = fc
  .array(
    fc.constantFrom('Straße', 'the price is 5 €', 'дом у моря', '雨と猫', 'naïve', '🍐 pear', 'καλημέρα', '1.5 km'),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((parts) => `${parts.join(' ')}\nThe end.\n`);

describe('decodeText', () => {
  it('matches TextDecoder for the detected encoding, without replacement characters', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const decoded = decodeText(bytes);
        if (decoded.kind !== 'text') return;
        const mark = marks[decoded.encoding] as number[];
        const marked = mark.every((byte, place) => bytes[place] === byte);
        const body = marked ? bytes.subarray(mark.length) : bytes;
        if (decoded.encoding.startsWith('utf-32')) expect(encode(decoded.text, decoded.encoding)).toEqual([...body]);
        else expect(decoded.text).toBe(reference(decoded.encoding, body));
        expect(decoded.text).not.toContain('\0');
      }),
      { numRuns: 5000 },
    );
  });

  it('accepts valid UTF-8 text, and reports the offset of the first invalid byte', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        if (bytes.includes(0) || [...bytes].some((byte) => (byte < 32 && byte !== 10) || byte === 127)) return;
        if (Object.values(marks).some((mark) => mark.every((byte, place) => bytes[place] === byte))) return;
        const decoded = decodeText(bytes);
        if (isUtf8(bytes))
          return void expect(decoded).toEqual({ kind: 'text', encoding: 'utf-8', text: Buffer.from(bytes).toString() });
        expect(decoded.kind).toBe('undecodable');
        // The longest valid beginning, found the slow way.
        let valid = bytes.length;
        while (!isUtf8(bytes.subarray(0, valid))) valid--;
        const line = [...bytes.subarray(0, valid)].filter((byte) => byte === 10).length + 1;
        const { reason } = decoded as { reason: string };
        expect(reason).toContain(`line ${line} has the byte`);
        expect(reason.endsWith(`at offset ${valid}`)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it('reads text in every Unicode encoding, with and without a byte-order mark', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...Object.keys(marks)), fc.boolean(), (written, encoding, marked) => {
        const bytes = Uint8Array.from([...(marked ? (marks[encoding] as number[]) : []), ...encode(written, encoding)]);
        expect(decodeText(bytes)).toEqual({ kind: 'text', encoding, text: written });
      }),
      { numRuns: 1000 },
    );
  });

  it('uses the fallback encoding only for text that is not UTF-8', () => {
    const labels = ['latin1', 'shift_jis', 'gb18030', 'koi8-r', 'euc-kr', 'windows-1251'];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40, min: 32, max: 255 }), fc.constantFrom(...labels), (bytes, label) => {
        const encoding = encodingNamed(label, 'encoding');
        const decoded = decodeText(bytes, encoding);
        if (
          marks['utf-16le']?.every((byte, place) => bytes[place] === byte) ||
          marks['utf-16be']?.every((byte, place) => bytes[place] === byte)
        )
          return;
        if (decoded.kind === 'text')
          expect(decoded.text).toBe(isUtf8(bytes) ? Buffer.from(bytes).toString() : reference(encoding, bytes));
        if (decoded.kind === 'undecodable') expect(reference(encoding, bytes)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
    const sjis = Uint8Array.from([0x93, 0xfa, 0x96, 0x7b]);
    expect(decodeText(sjis, 'shift_jis')).toMatchObject({ kind: 'text', text: '日本' });
    expect(decodeText(sjis)).toMatchObject({ kind: 'undecodable', encoding: 'utf-8' });
  });

  it.each([
    ['a picture', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d]],
    ['a gzip stream', [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x4c]],
    ['control characters', [...Buffer.from('ab\u0001\u0002\u0003\u0004cd')]],
    ['strings with zero bytes between them, all at odd places', [...Buffer.from('a\0bcd\0ef')]],
    ['strings with zero bytes before them, all at even places', [...Buffer.from('\0a\0bcd\0e')]],
    ['a zero byte in the middle of text', [...Buffer.from('one\0two three four five six')]],
    ['every byte value', Array.from({ length: 4096 }, (_, at) => (at * 7919) % 256)],
  ])('recognises %s as binary', (_, bytes) => {
    expect(decodeText(Uint8Array.from(bytes)).kind).toBe('binary');
  });

  it('keeps a replacement character in the file, and a second byte-order mark', () => {
    expect(decodeText(Buffer.from('a\uFFFDb'))).toMatchObject({ text: 'a\uFFFDb' });
    expect(decodeText(Buffer.from('\uFEFF\uFEFFx'))).toMatchObject({ text: '\uFEFFx' });
  });

  it('refuses an unknown label', () => {
    expect(() => encodingNamed('latin-99', 'readFolder: encoding')).toThrow(
      /readFolder: encoding: expected the name of an encoding, got "latin-99"/,
    );
  });
});
