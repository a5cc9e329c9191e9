import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contentHash } from '../../../src/backend/content-hash.js';
import { Catalog } from '../../../src/store/catalog/catalog.js';
import { columnsOf } from '../../../src/store/catalog/document-commits.js';

let catalog: Catalog;
beforeEach(() => {
  catalog = Catalog.open({ path: ':memory:', readonly: false, durability: 'process', busyTimeout: 0 });
  catalog.initialize('angular');
  catalog.chooseSpace('test', 2, null);
});
afterEach(() => catalog.close());

function put(text: string, vector: number[]): number {
  const [number] = catalog.vectors.put(1, 'document', [contentHash(text)], Float32Array.from(vector));
  return number as number;
}

function commit(text: string, vector: number): unknown {
  return catalog.commit(columnsOf([{ id: text, text, hash: contentHash(text), metadata: null, vector }]))?.outcomes;
}

describe('a vector that was forgotten between being stored and being used', () => {
  it('is never read as the vector of another text', () => {
    const first = put('first', [1, 0]);
    expect(catalog.vectors.purge()).toBe(1);
    const second = put('second', [0, 1]);
    expect(second).not.toBe(first);
    expect(commit('first', first)).toBeUndefined();
    expect(commit('first', second)).toBeUndefined();
    expect(commit('second', second)).toEqual(['added']);
    expect(commit('first', put('first', [1, 0]))).toEqual(['added']);
    expect(catalog.documents.vectorOf('first')?.vector).toEqual(Float32Array.of(1, 0));
    expect(catalog.documents.vectorOf('second')?.vector).toEqual(Float32Array.of(0, 1));
  });
});
