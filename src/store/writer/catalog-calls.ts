import type { ErrorCode } from '../../errors.js';
import { SegmentBuilder } from '../build/segment-builder.js';
import type { Catalog } from '../catalog/catalog.js';
import type { CancelFlag } from '../sqlite/cancelling.js';
import { Validator } from '../validate/validator.js';

/** What can be asked of a catalog, here or in its thread: a method of one of these objects. */
export interface CatalogTargets {
  readonly catalog: Catalog;
  readonly documents: Catalog['documents'];
  readonly pages: Catalog['pages'];
  readonly texts: Catalog['texts'];
  readonly vectors: Catalog['vectors'];
  readonly shared: Catalog['shared'];
  readonly segments: Catalog['segments'];
  readonly settings: Catalog['settings'];
  readonly leases: Catalog['leases'];
  readonly migration: Catalog['migration'];
  readonly fields: Catalog['fields'];
  readonly duplicates: Catalog['duplicates'];
  readonly notes: Catalog['notes'];
  readonly builder: SegmentBuilder;
  readonly validator: Validator;
}

/** Everything that can be called on a connection. */
export function targetsOf(catalog: Catalog): CatalogTargets {
  const { documents, pages, texts, vectors, shared, segments, settings, leases, migration, fields, duplicates, notes } =
    catalog;
  const builder = new SegmentBuilder(catalog);
  return {
    catalog,
    documents,
    pages,
    texts,
    vectors,
    shared,
    segments,
    settings,
    leases,
    migration,
    fields,
    duplicates,
    notes,
    builder,
    validator: new Validator(catalog),
  };
}

/** Names of the callable members of an object. */
export type MethodOf<T> = { [K in keyof T]: T[K] extends (...given: never[]) => unknown ? K : never }[keyof T] & string;

export type ArgumentsOf<T, M> = M extends keyof T ? (T[M] extends (...given: infer A) => unknown ? A : never) : never;
export type ResultOf<T, M> = M extends keyof T
  ? T[M] extends (...given: never[]) => infer R
    ? Awaited<R>
    : never
  : never;

/** Runs methods of a catalog somewhere: in a thread of its own, or right here. */
export interface CatalogCaller {
  call<T extends keyof CatalogTargets, M extends MethodOf<CatalogTargets[T]>>(
    target: T,
    method: M,
    ...given: ArgumentsOf<CatalogTargets[T], M>
  ): Promise<ResultOf<CatalogTargets[T], M>>;
  /**
   * As `call`; when the signal aborts it rejects with its reason at once, and what has not begun is left out. Statements with
   * `is_wanted` stop soon.
   */
  callUntil<T extends keyof CatalogTargets, M extends MethodOf<CatalogTargets[T]>>(
    signal: AbortSignal | undefined,
    target: T,
    method: M,
    ...given: ArgumentsOf<CatalogTargets[T], M>
  ): Promise<ResultOf<CatalogTargets[T], M>>;
  close(): Promise<void>;
}

/** A call on its way to a thread. */
export interface CallMessage {
  readonly call: number;
  readonly target: keyof CatalogTargets;
  readonly method: string;
  readonly given: readonly unknown[];
  readonly flag?: CancelFlag;
}

/** Reply of a catalog thread: a result, or an error in parts that survive cloning. */
export type ReplyMessage =
  | { readonly call: number; readonly result: unknown }
  | { readonly call: number; readonly error: ErrorParts };

export interface ErrorParts {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly stack: string | undefined;
}

/** The buffers in a value that can be handed over instead of copied: those of typed arrays that own theirs. */
export function transferable(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const visit = (item: unknown, depth: number): void => {
    if (item instanceof Float32Array || item instanceof Float64Array || item instanceof Uint32Array) {
      if (item.byteLength > 0 && item.byteLength === item.buffer.byteLength && item.buffer instanceof ArrayBuffer) {
        found.add(item.buffer);
      }
    } else if (depth > 0 && typeof item === 'object' && item !== null && !ArrayBuffer.isView(item)) {
      for (const member of Object.values(item)) visit(member, depth - 1);
    }
  };
  visit(value, 3);
  return [...found];
}
