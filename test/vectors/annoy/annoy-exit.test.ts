import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../reference.js';

const folder = temporaryFolder();
const index = new URL('../../../dist/index.js', import.meta.url).href;

/** Far more than cancelled work needs, far less than the work of these tests: minutes. */
const LIMIT = 10_000;

/** Starts work that takes minutes, without waiting for it. */
const work = {
  build: 'items.build(100_000)',
  'on-disk build': `items.build(100_000)`,
  'exact search': `items.build(1).then(() => items.getNnsByVectors(new Float32Array(16 * 400_000), 1, { exact: true }))`,
} as const;

function source(kind: keyof typeof work): string {
  const onDisk = kind === 'on-disk build' ? `items.onDiskBuild(${JSON.stringify(join(folder, 'disk.ann'))});` : '';
  return `const { AnnoyIndex } = await import(${JSON.stringify(index)});
    const items = new AnnoyIndex(16, 'euclidean'); ${onDisk}
    items.addItems(new Float32Array(16 * 20_000).map(Math.random));
    ${work[kind]}.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));`;
}

it.each(Object.keys(work) as (keyof typeof work)[])(
  'lets process.exit end the process during a running %s',
  async (kind) => {
    const child = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `${source(kind)} console.log('exit'); process.exit(3);`,
    ]);
    const began = await new Promise<number>((resolve) => child.stdout.once('data', () => resolve(performance.now())));
    const guard = setTimeout(() => child.kill('SIGKILL'), LIMIT);
    const ended = await new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    clearTimeout(guard);
    expect(ended).toEqual({ code: 3, signal: null });
    expect(performance.now() - began).toBeLessThan(LIMIT);
  },
);

it('lets worker.terminate end a worker during a running build, and other threads go on', async () => {
  const { AnnoyIndex } = await import('../../../src/vectors/annoy/annoy-index.js');
  const own = new AnnoyIndex(16, 'euclidean');
  own.addItems(new Float32Array(16 * 1000).map(Math.random));
  const text = `import { parentPort } from 'node:worker_threads'; ${source('build')} parentPort.postMessage('building');`;
  const workers = [1, 2].map(() => new Worker(new URL(`data:text/javascript,${encodeURIComponent(text)}`)));
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  const building = own.build(20);
  const began = performance.now();
  await Promise.all(workers.map((worker) => worker.terminate()));
  expect(performance.now() - began).toBeLessThan(LIMIT);
  await building;
  expect(own.getNTrees()).toBe(20);
});

it('leaves at most the temporary file of an on-disk build that was cut off', () => {
  for (const name of readdirSync(folder)) expect(name).toMatch(/^disk\.ann\.\d+\.tmp$/);
});
