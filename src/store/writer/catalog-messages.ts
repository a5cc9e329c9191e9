import type { ErrorCode } from '../../errors.js';
import type { CancelFlag } from '../sqlite/cancelling.js';
import type { CatalogOptions } from '../sqlite/connection.js';

/**
 * What a catalog thread is asked: to use a catalog, to call it, to close it once no call is running, and to end. After a catalog
 * is closed, the thread can use another one.
 */
export type ThreadMessage =
  | { readonly kind: 'open'; readonly catalog: CatalogOptions }
  | CallMessage
  | { readonly kind: 'close' }
  | { readonly kind: 'end' };

/** A call sent to a catalog thread. */
export interface CallMessage {
  readonly kind: 'call';
  readonly call: number;
  readonly target: string;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly flag?: CancelFlag;
}

/** Reply of a catalog thread: a result, or an error in parts that survive cloning; null when the catalog is closed. */
export type ReplyMessage =
  | null
  | { readonly call: number; readonly result: unknown }
  | { readonly call: number; readonly error: ErrorParts };

export interface ErrorParts {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly stack: string | undefined;
}

type Transferable = Float32Array | Float64Array | Uint32Array | Uint8Array;

/** A `Buffer` is not: other code may hold one that has the same memory. */
function isTransferable(value: unknown): value is Transferable {
  return (
    value instanceof Float32Array ||
    value instanceof Float64Array ||
    value instanceof Uint32Array ||
    (value instanceof Uint8Array && !Buffer.isBuffer(value))
  );
}

/** The buffers in a value that can be handed over instead of copied: those of typed arrays that own theirs. */
export function transferable(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const visit = (item: unknown, depth: number): void => {
    if (isTransferable(item)) {
      if (item.byteLength > 0 && item.byteLength === item.buffer.byteLength && item.buffer instanceof ArrayBuffer) {
        found.add(item.buffer);
      }
    } else if (depth > 0 && typeof item === 'object' && item !== null && !ArrayBuffer.isView(item)) {
      // Long lists are of strings or numbers.
      if (Array.isArray(item) && item.length > 0 && typeof item[0] !== 'object') return;
      for (const member of Object.values(item)) visit(member, depth - 1);
    }
  };
  visit(value, 5);
  return [...found];
}
