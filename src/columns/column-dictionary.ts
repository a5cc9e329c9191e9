import type { Scalar } from '../backend/filter-tree.js';
import type { TimeSlice } from '../time-slice.js';
import { valueKinds } from './value-kind.js';

/** A value of a column that is not a scalar: `none` counts as no value, `unknown` is known to the catalog alone. */
export type DictionaryValue = Scalar | typeof none | typeof unknown;

export const none: unique symbol = Symbol('none');
export const unknown: unique symbol = Symbol('unknown');

const valuesPerLook = 256;

/** Decodes the values of a column, in the order of their ids (native/kernel/columns/layers/column_rows.h). */
export async function decodeDictionary(
  bytes: Uint8Array,
  count: number,
  slice: TimeSlice,
  signal?: AbortSignal | undefined,
): Promise<DictionaryValue[]> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Array<DictionaryValue>(count);
  let at = 0;
  for (let id = 0; id < count; id++) {
    if (id % valuesPerLook === 0 && slice.due()) await slice.yieldIfDue(signal);
    const kind = buffer[at++];
    if (kind === valueKinds.number) {
      values[id] = buffer.readDoubleLE(at);
      at += 8;
    } else if (kind === valueKinds.string) {
      const size = buffer.readUInt32LE(at);
      values[id] = decodeText(buffer.subarray(at + 4, at + 4 + size));
      at += 4 + size;
    } else if (kind === valueKinds.true || kind === valueKinds.false) {
      values[id] = kind === valueKinds.true;
    } else {
      values[id] = kind === valueKinds.longString || kind === valueKinds.opaque ? unknown : none;
    }
  }
  return values;
}

/** UTF-8 in which a lone surrogate has the bytes of its code point; other decoders replace it. */
function decodeText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd') || Buffer.from(text).equals(bytes)) return text;
  let decoded = '';
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] as number;
    const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const [second = 0, third = 0] = [bytes[at + 1], bytes[at + 2]];
    const isSurrogate = first === 0xed && second >= 0xa0;
    decoded += isSurrogate
      ? String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f))
      : bytes.toString('utf8', at, at + size);
    at += size;
  }
  return decoded;
}
