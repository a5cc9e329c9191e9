import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SemanticIndex } from '../../src/index.js';
import { CatalogThread } from '../../src/store/catalog-thread.js';
import { deterministicProvider } from '../../src/testing.js';

/** A thread over an index of 3,000 documents. */
async function openThread() {
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-'));
  await using index = await SemanticIndex.open(folder, { provider: deterministicProvider() });
  await index.addDocuments(Array.from({ length: 3000 }, (_, id) => ({ id, text: `text ${id}` })));
  const path = join(folder, 'index.db');
  const thread = new CatalogThread({ catalog: { path, readonly: true, durability: 'process', busyTimeout: 1000 } });
  onTestFinished(async () => {
    await thread.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return thread;
}

/** About ten milliseconds for each document. */
const slow = {
  sql: `(is_wanted(d.key) AND (WITH RECURSIVE n (i) AS (SELECT d.key UNION ALL SELECT i + 1 FROM n WHERE i < d.key + 20000)
         SELECT count(*) FROM n) > 0)`,
  parameters: [],
};

test('an abort stops the statement that runs, and what waits behind it', async () => {
  const thread = await openThread();
  expect(await thread.call('documents', 'count', undefined)).toBe(3000);
  const [running, waiting] = [new AbortController(), new AbortController()];
  const first = thread.callUntil(running.signal, 'documents', 'count', slow);
  const second = thread.callUntil(waiting.signal, 'documents', 'count', slow);
  const began = performance.now();
  setTimeout(() => {
    running.abort(new Error('late'));
    waiting.abort(new Error('gone'));
  }, 50);
  await expect(first).rejects.toThrow('late');
  await expect(second).rejects.toThrow('gone');
  expect(performance.now() - began).toBeLessThan(2000);
  // Both together would have taken half a minute and more.
  expect(await thread.call('documents', 'count', undefined)).toBe(3000);
  expect(performance.now() - began).toBeLessThan(5000);
});

test('a call whose signal has aborted is not made', async () => {
  const thread = await openThread();
  const signal = AbortSignal.abort(new Error('never'));
  await expect(thread.callUntil(signal, 'documents', 'count', undefined)).rejects.toThrow('never');
  expect(await thread.callUntil(new AbortController().signal, 'documents', 'count', undefined)).toBe(3000);
});
