/** An item of a source with what was prepared for it. */
export interface Prepared<T, P> {
  readonly item: T;
  readonly prepared: P;
}

/**
 * Begins to prepare up to `depth` items of a source at the same time and yields them in their order. Where the source
 * is slow, what is prepared is yielded without waiting for it. An error of the source or of a preparation is thrown
 * when all items before it have been yielded and all pending preparations have ended.
 */
export async function* prefetch<T, P>(
  source: AsyncGenerator<T>,
  depth: number,
  prepare: (item: T) => Promise<P>,
): AsyncGenerator<Prepared<T, P>> {
  const queue: { readonly item: T; readonly prepared: Promise<P> }[] = [];
  let failure: { readonly error: unknown } | undefined;
  let reading: Promise<IteratorResult<T> | 'failed'> | undefined;
  const read = (): void => {
    reading = source.next().catch((error: unknown) => {
      failure = { error };
      return 'failed';
    });
  };
  const fill = async (): Promise<void> => {
    while (reading !== undefined && queue.length < depth) {
      const ready = queue[0]?.prepared.then(
        () => 'ready' as const,
        () => 'ready' as const,
      );
      const next = await (ready === undefined ? reading : Promise.race([reading, ready]));
      if (next === 'ready') return;
      reading = undefined;
      if (next === 'failed' || next.done === true) return;
      const prepared = prepare(next.value);
      // Its error is thrown in order; this avoids an unhandled rejection meanwhile.
      prepared.catch(() => {});
      queue.push({ item: next.value, prepared });
      read();
    }
  };
  read();
  try {
    for (;;) {
      await fill();
      const head = queue.shift();
      if (head !== undefined) {
        yield { item: head.item, prepared: await head.prepared };
        continue;
      }
      if (failure !== undefined) throw failure.error;
      return;
    }
  } finally {
    await Promise.allSettled(queue.map(({ prepared }) => prepared));
    // Not awaited: a waiting source may never return.
    source.return(undefined).catch(() => {});
  }
}
