import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SemanticIndex } from '../../../src/index.js';
import type { CatalogClient } from '../../../src/store/writer/catalog-client.js';
import { catalogThread } from '../../../src/store/writer/catalog-thread.js';
import { deterministicProvider } from '../../../src/testing.js';

/** A thread over an index of 3,000 documents. */
async function openThread(readonly = true) {
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-'));
  await using index = await SemanticIndex.open(folder, { provider: deterministicProvider() });
  await index.addDocuments(Array.from({ length: 3000 }, (_, id) => ({ id, text: `text ${id}` })));
  const path = join(folder, 'index.db');
  const thread = catalogThread({ path, readonly, durability: 'process', busyTimeout: 1000 });
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
  expect(await thread.documents.count(undefined)).toBe(3000);
  const [running, waiting] = [new AbortController(), new AbortController()];
  const first = thread.until(running.signal).documents.count(slow);
  const second = thread.until(waiting.signal).documents.count(slow);
  const began = performance.now();
  setTimeout(() => {
    running.abort(new Error('late'));
    waiting.abort(new Error('gone'));
  }, 50);
  await expect(first).rejects.toThrow('late');
  await expect(second).rejects.toThrow('gone');
  expect(performance.now() - began).toBeLessThan(2000);
  // Both together would have taken half a minute and more.
  expect(await thread.documents.count(undefined)).toBe(3000);
  expect(performance.now() - began).toBeLessThan(5000);
});

test('a call whose signal has aborted is not made', async () => {
  const thread = await openThread();
  const signal = AbortSignal.abort(new Error('never'));
  await expect(thread.until(signal).documents.count(undefined)).rejects.toThrow('never');
  expect(await thread.until(new AbortController().signal).documents.count(undefined)).toBe(3000);
});

/** About ten milliseconds for each document, of which none matches; it does not ask whether it is wanted. */
const none = { sql: slow.sql.replace('is_wanted(d.key) AND ', '').replace('> 0', '< 0'), parameters: [] };

test.each([
  ['count', (thread: CatalogClient, signal: AbortSignal) => thread.until(signal).documents.count(none)],
  ['keys', (thread: CatalogClient, signal: AbortSignal) => thread.until(signal).documents.keys(none)],
  ['list', (thread: CatalogClient, signal: AbortSignal) => thread.until(signal).pages.list(none, 10, 0)],
  [
    'look-up',
    (thread: CatalogClient, signal: AbortSignal) =>
      thread.until(signal).documents.byKeys(
        Array.from({ length: 3000 }, (_, n) => n + 1),
        none,
      ),
  ],
  ['deletion', (thread: CatalogClient, signal: AbortSignal) => thread.until(signal).documents.deleteWhere(none)],
] as const)('an abort stops a %s whose filter matches nothing', async (_, call) => {
  const thread = await openThread(false);
  await thread.documents.count(undefined);
  const controller = new AbortController();
  const began = performance.now();
  setTimeout(() => controller.abort(new Error('late')), 50);
  await expect(call(thread, controller.signal)).rejects.toThrow('late');
  expect(await thread.documents.count(undefined)).toBe(3000);
  // To the end it would have taken fifteen seconds and more.
  expect(performance.now() - began).toBeLessThan(5000);
});

test('signals of list, count, deletion and validation stop them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  await using index = await SemanticIndex.open(folder, { provider: deterministicProvider() });
  await index.addDocuments(['a', 'b']);
  const signal = AbortSignal.abort(new Error('gone'));
  const where = { x: { $exists: false } };
  await expect(index.listDocuments({ where, signal })).rejects.toThrow('gone');
  await expect(index.count({ where, signal })).rejects.toThrow('gone');
  await expect(index.deleteDocuments({ where }, { signal })).rejects.toThrow('gone');
  await expect(index.validate({ signal })).rejects.toThrow('gone');
  await expect(index.search('a', { where, signal })).rejects.toThrow('gone');
  expect(await index.count({ where })).toBe(2);
  const reports = await Promise.all([index.validate(), index.validate({ level: 'full' })]);
  expect(reports.map(({ valid }) => valid)).toEqual([true, true]);
});
