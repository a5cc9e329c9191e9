import type { NativeIndex, NativeVectorBuffer } from '../addon/native-index.js';

const natives = new WeakMap<object, () => NativeIndex | NativeVectorBuffer>();

/** Makes the native object of an instance available to other rooms, which the public class must not show. */
export function registerNative(owner: object, native: () => NativeIndex | NativeVectorBuffer): void {
  natives.set(owner, native);
}

/**
 * The native object of an AnnoyIndex or a VectorBuffer.
 *
 * @throws CLOSED, NOT_BUILT; TypeError for another object.
 */
export function nativeVectorsOf(owner: object): NativeIndex | NativeVectorBuffer {
  const native = natives.get(owner);
  if (native === undefined) throw new TypeError('expected an AnnoyIndex or a VectorBuffer');
  return native();
}
