/** How far the length of a vector that a model made may be from 1: float32 rounds, rot does not. */
const lengthTolerance = 1e-3;

/** Whether a vector with this sum of squares has length 1, as far as float32 can say. */
export function hasUnitLength(squares: number): boolean {
  return Math.abs(Math.sqrt(squares) - 1) <= lengthTolerance;
}

/** The sum of the squares of all components (float32 little-endian): not finite where a component is not. */
export function squaredLength(data: Uint8Array): number {
  const { buffer, byteOffset, byteLength } = data;
  const components = byteOffset % 4 === 0 ? new Float32Array(buffer, byteOffset, byteLength >> 2) : copyOf(data);
  let squares = 0;
  for (let column = 0; column < components.length; column++) {
    const value = components[column] as number;
    squares += value * value;
  }
  return squares;
}

function copyOf(data: Uint8Array): Float32Array {
  const components = new Float32Array(data.byteLength >> 2);
  new Uint8Array(components.buffer).set(data.subarray(0, components.length * 4));
  return components;
}
