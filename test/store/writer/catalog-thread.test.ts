import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { SemanticIndex } from '../../../src/semantic-index.js';
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
