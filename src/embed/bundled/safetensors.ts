import { SemanticIndexError } from '../../errors.js';

/** A tensor of a safetensors file. */
export interface TensorView {
  /** As in the header of the file: `F32`, `I8`, `U8`, ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** The bytes of the tensor, row-major, little-endian; a view of the bytes of the file. */
  readonly bytes: Uint8Array;
}

const bytesPerNumber: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
};
const maxHeaderBytes = 100_000_000;

/**
 * Parses a safetensors file: eight bytes of header length, a JSON header, then the data
 * (github.com/huggingface/safetensors, "Format").
 *
 * @param name name of the file in errors.
 * @throws INVALID_FILE when lengths, offsets or shapes do not fit the bytes.
 */
export function readSafetensors(bytes: Uint8Array, name: string): Map<string, TensorView> {
  const refuse = (why: string, cause?: unknown): SemanticIndexError =>
    new SemanticIndexError('INVALID_FILE', `${name} is not a valid safetensors file: ${why}`, {
      hint: 'Restore the file, or fetch the model again.',
      cause,
    });
  if (bytes.byteLength < 8) throw refuse(`it has ${bytes.byteLength} bytes`);
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  const start = 8 + headerLength;
  if (headerLength > maxHeaderBytes || start > bytes.byteLength) {
    throw refuse(`its header length is ${headerLength}, but the file has ${bytes.byteLength} bytes`);
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  } catch (error) {
    throw refuse('its header is not JSON', error);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw refuse('its header is not an object');

  const tensors = new Map<string, TensorView>();
  for (const [tensor, entry] of Object.entries(header as Record<string, unknown>)) {
    if (tensor === '__metadata__') continue;
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    if (typeof dtype !== 'string' || !isListOfCounts(shape) || !isListOfCounts(offsets) || offsets.length !== 2) {
      throw refuse(`the entry of tensor "${tensor}" is malformed`);
    }
    const [begin, end] = offsets as [number, number];
    const expected = shape.reduce((product, side) => product * side, bytesPerNumber[dtype] ?? Number.NaN);
    if (begin > end || start + end > bytes.byteLength || end - begin !== expected) {
      throw refuse(`tensor "${tensor}" (${dtype} [${shape.join(', ')}]) does not fit the bytes ${begin} to ${end}`);
    }
    tensors.set(tensor, { dtype, shape, bytes: bytes.subarray(start + begin, start + end) });
  }
  return tensors;
}

function isListOfCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry) && entry >= 0);
}
