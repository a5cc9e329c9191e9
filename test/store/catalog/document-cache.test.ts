import { describe, expect, it } from 'vitest';
import type { StoredDocument } from '../../../src/backend/documents.js';
import { DocumentCache, maxShortBytes } from '../../../src/store/catalog/document-cache.js';

/** A cache over documents of `characters` each, all but key 0; and the keys that it read. */
function cacheOf(characters: number): { cache: DocumentCache; read: number[] } {
  const read: number[] = [];
  const document = (key: number): StoredDocument => ({ key, id: key, text: 'x'.repeat(characters), metadata: null });
  const byKey = (key: number): StoredDocument | undefined => {
    read.push(key);
    return key === 0 ? undefined : document(key);
  };
  return { cache: new DocumentCache(byKey, characters > maxShortBytes ? () => undefined : byKey), read };
}

describe('the cache of documents', () => {
  it('reads a document once, and one that is gone each time', () => {
    const { cache, read } = cacheOf(10);
    expect(cache.byKeys([3, 0, 3]).map((document) => document?.id)).toEqual([3, undefined, 3]);
    expect(cache.byKeys([3, 0]).map((document) => document?.id)).toEqual([3, undefined]);
    expect(read).toEqual([3, 0, 0]);
  });

  it('keeps short documents that it was asked for', () => {
    const { cache, read } = cacheOf(10);
    expect(cache.short([3, 0]).map((document) => document?.id)).toEqual([3, undefined]);
    expect(cache.byKeys([3]).map((document) => document?.id)).toEqual([3]);
    expect(read).toEqual([3, 0]);
  });

  it('does not read a long document to see how long it is', () => {
    const { cache, read } = cacheOf(maxShortBytes + 1);
    expect(cache.short([3])).toEqual([undefined]);
    expect(read).toEqual([]);
    cache.byKeys([3]);
    expect(cache.short([3]).map((document) => document?.id)).toEqual([3]);
    expect(read).toEqual([3]);
  });

  it('keeps what is used and forgets the rest', () => {
    const { cache, read } = cacheOf(2 ** 20);
    for (let key = 1; key <= 100; key++) cache.byKeys([1, key]);
    expect(read.filter((key) => key === 1)).toHaveLength(1);
    expect(cache.short(Array.from({ length: 100 }, (_, n) => n + 1)).filter(Boolean).length).toBeLessThanOrEqual(16);
  });

  it('does not keep a document that is larger than it', () => {
    const { cache, read } = cacheOf(2 ** 24);
    cache.byKeys([1]);
    cache.byKeys([1]);
    expect(read).toEqual([1, 1]);
  });
});
