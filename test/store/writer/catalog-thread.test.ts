import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { SemanticIndex } from '../../../src/semantic-index.js';
import type { CatalogOptions } from '../../../src/store/sqlite/connection.js';
import type { CatalogClient } from '../../../src/store/writer/catalog-client.js';
import { catalogThread } from '../../../src/store/writer/catalog-thread.js';
import { deterministicProvider } from '../../../src/testing.js';

const moduleAt = (path: string) => JSON.stringify(new URL(`../../../dist/${path}`, import.meta.url).href);

it('keeps the process alive until close resolves, also after the reply of a pending call', () => {
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-thread-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const program = `
    import { SemanticIndex } from ${moduleAt('semantic-index.js')};
    import { deterministicProvider } from ${moduleAt('embed/testing/deterministic-provider.js')};
    const provider = deterministicProvider({ dimensions: 16 });
    const directory = ${JSON.stringify(join(folder, 'index'))};
    const writer = await SemanticIndex.open(directory, { provider });
    await writer.addDocuments([{ id: 1, text: 'a word', metadata: { part: 1 } }]);
    await writer.close();
    const reader = await SemanticIndex.open(directory, { provider, readonly: true });
    await reader.search('word', { where: { part: 1 } });
    await reader.close();
    console.log('closed');
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'closed\n', stderr: '' });
});

it('uses the threads of a closed index for the next one, and ends them when there is none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-thread-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ended: Promise<void>[] = [];
  const note = (worker: Worker): void => {
    ended.push(new Promise((resolve) => worker.once('exit', resolve)));
  };
  process.on('worker', note);
  onTestFinished(() => void process.off('worker', note));
  const provider = deterministicProvider({ dimensions: 16 });
  for (let n = 0; n < 4; n++) {
    await using index = await SemanticIndex.open(join(folder, `index-${n}`), { provider });
    await index.addDocuments([{ id: n, text: `text ${n}` }]);
    expect((await index.listDocuments()).documents.map(({ id }) => id)).toEqual([n]);
  }
  expect(ended.length).toBeLessThanOrEqual(2);
  await Promise.all(ended);
});

it('never answers a call of a closed index, and never one of another index with its catalog', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-thread-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const provider = deterministicProvider({ dimensions: 16 });
  const catalogs: CatalogOptions[] = [];
  for (const name of ['first', 'second']) {
    await using index = await SemanticIndex.open(join(folder, name), { provider });
    await index.addDocuments([{ id: name, text: name }]);
    catalogs.push({ path: join(folder, name, 'index.db'), readonly: false, durability: 'process', busyTimeout: 1000 });
  }
  const [first, second] = catalogs.map((catalog) => catalogThread(catalog)) as [CatalogClient, CatalogClient];
  await first.documents.count();
  const codeOf = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => 'answered',
      ({ code }) => code,
    );
  const closing = first.close();
  const whileClosing = codeOf(first.documents.count());
  await Promise.all([closing, first.close()]);
  expect([await whileClosing, await codeOf(first.documents.count())]).toEqual(['CLOSED', 'CLOSED']);
  expect((await second.documents.byIds(['first', 'second'])).map((document) => document?.id)).toEqual([
    undefined,
    'second',
  ]);
  await second.close();
});
