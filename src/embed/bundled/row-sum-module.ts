/**
 * A WebAssembly module with two functions that sum rows of a quantized table, 16 bytes at a time. It is assembled here
 * because 40 instructions need no toolchain. In the text format, with the parts that differ in braces:
 *
 *     (func (export "sumInt8" | "sumInt4")
 * (param $ids i32) (param $count i32) (param $table i32) (param $scales i32) (param $rowBytes i32) (param $sums i32)
 *       (loop $columns                                ;; 16 bytes of all rows
 *         acc_* = 0
 *         (loop $rows
 *           id = ids[index]
 *           scale = splat(scales[id])
 *           bytes = table[id * rowBytes + column ...]
 * {acc_k += scale * float(bytes_k)} ;; int4: even columns from low nibbles, odd ones from high nibbles
 *           index += 1, again while index < count)
 *         {sums[column ...] += acc_*}
 *         column += 16, again while column < rowBytes))
 *
 * Uses the core opcodes and 128-bit SIMD, which every supported Node version has on x64 and arm64. Sums are float32 in
 * a fixed order without fused operations, so results are identical on every machine.
 */
export function rowSumModule(): Uint8Array<ArrayBuffer> {
  const functions = [sumFunction('int8'), sumFunction('int4')];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 6, ...new Array<number>(6).fill(i32), 0]),
    ...section(2, [1, ...name('host'), ...name('memory'), 0x02, 0x00, ...unsigned(1)]),
    ...section(3, [2, 0, 0]),
    ...section(7, [2, ...name('sumInt8'), 0x00, 0, ...name('sumInt4'), 0x00, 1]),
    ...section(10, [2, ...functions.flatMap((body) => [...unsigned(body.length), ...body])]),
  ]);
}

const i32 = 0x7f;
const v128 = 0x7b;

/** Parameters and locals by number. */
const local = { ids: 0, count: 1, table: 2, scales: 3, rowBytes: 4, sums: 5, column: 6, index: 7, id: 8, target: 9 };
const scale = 10;
const bytes = 11;
const part = 12;
const firstAccumulator = 13;

const get = (index: number): number[] => [0x20, index];
const set = (index: number): number[] => [0x21, index];
const constant = (value: number): number[] => [0x41, ...signed(value)];
const add = 0x6a;
const multiply = 0x6c;
const lessUnsigned = 0x49;
const simd = (opcode: number, ...operands: number[]): number[] => [0xfd, ...unsigned(opcode), ...operands];
const vectorLoad = (offset: number): number[] => simd(0x00, 0, ...unsigned(offset));
const vectorStore = (offset: number): number[] => simd(0x0b, 0, ...unsigned(offset));
const zeroVector = simd(0x0c, ...new Array<number>(16).fill(0));
const splatByte = simd(0x0f);
const extendLow8 = simd(0x87);
const extendHigh8 = simd(0x88);
const extendLow16 = simd(0xa7);
const extendHigh16 = simd(0xa8);
const floats = simd(0xfa);
const addFloats = simd(0xe4);
const multiplyFloats = simd(0xe6);

function sumFunction(kind: 'int8' | 'int4'): number[] {
  const accumulators = Array.from({ length: kind === 'int8' ? 4 : 8 }, (_, index) => firstAccumulator + index);
  const rows = kind === 'int8' ? accumulate(0) : [...lowNibbles, ...accumulate(0), ...highNibbles, ...accumulate(4)];
  const store = kind === 'int8' ? accumulators.flatMap(addToSums) : interleaved.flatMap(addShuffledToSums);
  const code = [
    ...constant(0),
    ...set(local.column),
    ...get(local.sums),
    ...set(local.target),
    ...loop([
      ...accumulators.flatMap((accumulator) => [...zeroVector, ...set(accumulator)]),
      ...constant(0),
      ...set(local.index),
      ...loop([
        ...get(local.ids),
        ...get(local.index),
        ...constant(4),
        multiply,
        add,
        0x28,
        2,
        0,
        ...set(local.id),
        ...get(local.scales),
        ...get(local.id),
        ...constant(4),
        multiply,
        add,
        ...simd(0x09, 2, 0),
        ...set(scale),
        ...get(local.table),
        ...get(local.id),
        ...get(local.rowBytes),
        multiply,
        add,
        ...get(local.column),
        add,
        ...vectorLoad(0),
        ...set(bytes),
        ...(kind === 'int8' ? [...get(bytes), ...set(part)] : []),
        ...rows,
        ...get(local.index),
        ...constant(1),
        add,
        0x22,
        local.index,
        ...get(local.count),
        lessUnsigned,
      ]),
      ...store,
      ...get(local.target),
      ...constant(accumulators.length * 16),
      add,
      ...set(local.target),
      ...get(local.column),
      ...constant(16),
      add,
      0x22,
      local.column,
      ...get(local.rowBytes),
      lessUnsigned,
    ]),
    0x0b,
  ];
  return [2, 4, i32, 3 + accumulators.length, v128, ...code];
}

/** A loop that repeats while its body leaves a non-zero value on the stack. */
function loop(body: readonly number[]): number[] {
  return [0x03, 0x40, ...body, 0x0d, 0, 0x0b];
}

/** (bytes & 15) - 8. */
const lowNibbles = [
  ...get(bytes),
  ...constant(15),
  ...splatByte,
  ...simd(0x4e),
  ...constant(8),
  ...splatByte,
  ...simd(0x71),
  ...set(part),
];
/** (bytes >>> 4) - 8. */
const highNibbles = [
  ...get(bytes),
  ...constant(4),
  ...simd(0x6d),
  ...constant(8),
  ...splatByte,
  ...simd(0x71),
  ...set(part),
];

/** Adds the 16 signed bytes of `part`, scaled, to four accumulators. */
function accumulate(first: number): number[] {
  const widen: readonly number[][] = [
    [...extendLow8, ...extendLow16],
    [...extendLow8, ...extendHigh16],
    [...extendHigh8, ...extendLow16],
    [...extendHigh8, ...extendHigh16],
  ];
  return widen.flatMap((steps, index) => {
    const accumulator = firstAccumulator + first + index;
    return [
      ...get(accumulator),
      ...get(part),
      ...steps,
      ...floats,
      ...get(scale),
      ...multiplyFloats,
      ...addFloats,
      ...set(accumulator),
    ];
  });
}

function addToSums(accumulator: number, index: number): number[] {
  return [
    ...get(local.target),
    ...get(local.target),
    ...vectorLoad(index * 16),
    ...get(accumulator),
    ...addFloats,
    ...vectorStore(index * 16),
  ];
}

/** Interleaves even and odd columns: accumulator k holds four even columns, accumulator k + 4 the odd ones between. */
const interleaved = [0, 1, 2, 3].flatMap((even) => [
  { even, odd: even + 4, lanes: [0, 4, 1, 5] },
  { even, odd: even + 4, lanes: [2, 6, 3, 7] },
]);

function addShuffledToSums({ even, odd, lanes }: (typeof interleaved)[number], index: number): number[] {
  const shuffle = simd(0x0d, ...lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte)));
  return [
    ...get(local.target),
    ...get(local.target),
    ...vectorLoad(index * 16),
    ...get(firstAccumulator + even),
    ...get(firstAccumulator + odd),
    ...shuffle,
    ...addFloats,
    ...vectorStore(index * 16),
  ];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return [...unsigned(text.length), ...Buffer.from(text)];
}

function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  return value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
}
