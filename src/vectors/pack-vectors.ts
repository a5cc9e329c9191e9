/** Vectors of one length, one after the other in one array of their own. */
export function packVectors(vectors: readonly Float32Array[]): Float32Array {
  const dimensions = vectors[0]?.length ?? 0;
  const packed = new Float32Array(vectors.length * dimensions);
  vectors.forEach((vector, position) => {
    packed.set(vector, position * dimensions);
  });
  return packed;
}
