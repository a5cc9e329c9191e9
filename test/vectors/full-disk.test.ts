import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { AnnoyIndex } from '../../src/vectors/annoy/annoy-index.js';
import { randomRows, temporaryFolder } from './reference.js';

const folder = temporaryFolder();
const path = join(folder, 'index.ann');
const f = 64;

// A limit on the size of files is what an unprivileged process can set to have its writes refused; a full disk differs in
// the name of the system error only. POSIX shells have it, Windows does not.
describe.skipIf(process.platform === 'win32')('where no more can be written', () => {
  it('a save fails and leaves the old file; an on-disk build keeps the items that it has', async () => {
    const old = new AnnoyIndex(f, 'angular');
    old.addItems(randomRows(100, f, 'angular'));
    await old.build(2);
    await old.save(path);
    const before = readFileSync(path);
    const program = `
      import { AnnoyIndex } from ${JSON.stringify(new URL('../../dist/vectors/annoy/annoy-index.js', import.meta.url).href)};
      const f = ${f};
      const rows = new Float32Array(f * 4000).map((_, index) => Math.sin(index * index));
      const codeOf = async (run) => { try { await run(); } catch (error) { return error.code + ' ' + error.details.systemError; } };
      const index = new AnnoyIndex(f, 'angular');
      index.addItems(rows);
      await index.build(2);
      const save = await codeOf(() => index.save(${JSON.stringify(path)}));
      const disk = new AnnoyIndex(f, 'angular');
      disk.onDiskBuild(${JSON.stringify(join(folder, 'disk.ann'))});
      const add = await codeOf(() => { for (let item = 0; item < 4000; item++) disk.addItem(item, rows.subarray(item * f, item * f + f)); });
      const items = disk.getNItems();
      const build = await codeOf(() => disk.build(50));
      const vector = disk.getItemVector(items - 1).length;
      disk.close();
      console.log(JSON.stringify({ save, state: index.state, found: index.getNnsByItem(5, 1)[0], add, items, build, vector }));`;
    // 512 blocks: of 512 bytes in most shells, of 1024 in some.
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      'ulimit -f 512 && exec "$0" --input-type=module --eval "$1"',
      process.execPath,
      program,
    ]);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ save: 'IO EFBIG', state: 'built', found: 5, add: 'IO EFBIG', build: 'IO EFBIG' });
    expect(result.items).toBeGreaterThan(100);
    expect(result.vector).toBe(f);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['index.ann', 'index.ann.meta.json']);
    expect((await (await AnnoyIndex.open(path)).validate({ strict: true })).valid).toBe(true);
  });
});
