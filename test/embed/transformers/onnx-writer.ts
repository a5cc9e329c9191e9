/**
 * Writes ONNX models byte by byte: protocol buffers need little more than a loop (github.com/onnx/onnx, onnx.proto3).
 */

export interface OnnxTensor {
  name: string;
  dims: number[];
  data: Float32Array | Int8Array | BigInt64Array;
}

export interface OnnxNode {
  type: string;
  inputs: string[];
  outputs: string[];
  attributes?: Record<string, number | number[] | OnnxTensor>;
}

export interface OnnxGraph {
  nodes: OnnxNode[];
  constants: OnnxTensor[];
  /** Name and named or fixed dimensions; inputs are int64, outputs float32. */
  inputs: [string, (string | number)[]][];
  outputs: [string, (string | number)[]][];
}

const elementTypes = { Float32Array: 1, Int8Array: 3, BigInt64Array: 7 } as const;

export function onnxModel({ nodes, constants, inputs, outputs }: OnnxGraph): Buffer {
  const isUsed = ({ name }: OnnxTensor): boolean => nodes.some((node) => node.inputs.includes(name));
  const graph = message(
    ...nodes.map((node) => field(1, nodeBytes(node))),
    field(2, text('tiny')),
    ...constants.filter(isUsed).map((constant) => field(5, tensorBytes(constant))),
    ...inputs.map(([name, dims]) => field(11, valueInfo(name, 7, dims))),
    ...outputs.map(([name, dims]) => field(12, valueInfo(name, 1, dims))),
  );
  const operators = message(field(1, text('')), number(2, 13));
  return message(number(1, 7), field(7, graph), field(8, operators));
}

function nodeBytes({ type, inputs, outputs, attributes = {} }: OnnxNode): Buffer {
  return message(
    ...inputs.map((name) => field(1, text(name))),
    ...outputs.map((name) => field(2, text(name))),
    field(3, text(outputs[0]!)),
    field(4, text(type)),
    ...Object.entries(attributes).map(([name, value]) => field(5, attributeBytes(name, value))),
  );
}

function attributeBytes(name: string, value: number | number[] | OnnxTensor): Buffer {
  if (typeof value === 'number') return message(field(1, text(name)), number(3, value), number(20, 2));
  if (Array.isArray(value))
    return message(field(1, text(name)), ...value.map((item) => number(8, item)), number(20, 7));
  return message(field(1, text(name)), field(5, tensorBytes(value)), number(20, 4));
}

function tensorBytes({ name, dims, data }: OnnxTensor): Buffer {
  const type = elementTypes[data.constructor.name as keyof typeof elementTypes];
  const raw = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return message(...dims.map((side) => number(1, side)), number(2, type), field(8, text(name)), field(9, raw));
}

function valueInfo(name: string, type: number, dims: (string | number)[]): Buffer {
  const shape = message(
    ...dims.map((side) => field(1, typeof side === 'string' ? field(2, text(side)) : number(1, side))),
  );
  const tensorType = message(number(1, type), field(2, shape));
  return message(field(1, text(name)), field(2, field(1, tensorType)));
}

function message(...fields: Buffer[]): Buffer {
  return Buffer.concat(fields);
}

function text(value: string): Buffer {
  return Buffer.from(value, 'utf8');
}

function field(tag: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint((tag << 3) | 2), varint(bytes.length), bytes]);
}

function number(tag: number, value: number): Buffer {
  return Buffer.concat([varint(tag << 3), varint(value)]);
}

/** Seven bits a byte, low ones first; negative numbers as 64-bit two's complement. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}
