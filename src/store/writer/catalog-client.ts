import { type CancelFlag, cancel, cancelFlag } from '../sqlite/cancelling.js';
import type { CatalogTargets } from './catalog-targets.js';

/**
 * The methods of an object, each of them asynchronous. The type is a plain mapping of the class, so that "go to definition" leads
 * from a call to the method.
 */
export type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

/** A catalog that is called somewhere else: `catalog.documents.commit(documents)`. */
export type RemoteCatalog = { readonly [K in keyof CatalogTargets]: Remote<CatalogTargets[K]> };

/** Runs the methods of a catalog: in a thread of its own, or in this one. */
export interface CatalogClient extends RemoteCatalog {
  /**
   * The same catalog for calls that can be cancelled. When the signal aborts, a call rejects with its reason at once; a call that
   * has not begun is skipped, and statements with `is_wanted` stop soon.
   */
  until(signal: AbortSignal | undefined): RemoteCatalog;
  /** Waits for running calls, then frees the connection. */
  close(): Promise<void>;
}

/** Carries calls to a catalog. */
export interface CatalogTransport {
  send(target: string, method: string, args: readonly unknown[], flag: CancelFlag | undefined): Promise<unknown>;
  close(): Promise<void>;
}

/** A catalog behind a transport. */
export function catalogClient(transport: CatalogTransport): CatalogClient {
  const plain = remoteCatalog((target, method, args) => transport.send(target, method, args, undefined));
  const until = (signal: AbortSignal | undefined): RemoteCatalog =>
    signal === undefined
      ? plain
      : remoteCatalog((target, method, args) =>
          abortable(signal, (flag) => transport.send(target, method, args, flag)),
        );
  const own = { until, close: () => transport.close() };
  return new Proxy(own, {
    get: (_, name) => (name in own ? own[name as keyof typeof own] : plain[name as keyof RemoteCatalog]),
  }) as CatalogClient;
}

type Send = (target: string, method: string, args: readonly unknown[]) => Promise<unknown>;

function remoteCatalog(send: Send): RemoteCatalog {
  const targets = membersOf((target) =>
    membersOf(
      (method) =>
        (...args: unknown[]) =>
          send(target, method, args),
    ),
  );
  return targets as unknown as RemoteCatalog;
}

/** An object with any member, made at its first use. It is not a promise: `await` and `return` look for `then`. */
function membersOf(make: (name: string) => unknown): object {
  const members = new Map<string, unknown>();
  return new Proxy(members, {
    get(_, name) {
      if (typeof name === 'symbol' || name === 'then') return undefined;
      if (!members.has(name)) members.set(name, make(name));
      return members.get(name);
    },
  });
}

async function abortable<T>(signal: AbortSignal, send: (flag: CancelFlag) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const flag = cancelFlag();
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      cancel(flag);
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([send(flag), aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
