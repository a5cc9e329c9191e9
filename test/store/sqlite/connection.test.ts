import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deterministicProvider } from '../../../src/embed/testing/deterministic-provider.js';
import { SemanticIndex } from '../../../src/semantic-index.js';
import { connect } from '../../../src/store/sqlite/connection.js';

const connection = new URL('../../../dist/store/sqlite/connection.js', import.meta.url).href;
const isRoot = process.getuid?.() === 0;
// Root may write everything, so for root somebody else tries it.
const unprivileged = isRoot ? { uid: 65_534, gid: 65_534 } : {};
const canTry =
  process.platform !== 'win32' &&
  spawnSync(process.execPath, ['--input-type=module', '-e', `await import('${connection}')`], unprivileged).status ===
    0;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-connection-'));
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

/** What comes of connecting, as somebody whom the rights of files bind. */
function tryToConnect(readonly: boolean): string {
  const program = `
    import { connect } from '${connection}';
    const options = { path: process.argv[1], readonly: ${readonly}, durability: 'process', busyTimeout: 0 };
    try {
      connect(options).close();
      console.log('connected');
    } catch (error) {
      console.log(JSON.stringify({ code: error.code, message: error.message, hint: error.hint }));
    }`;
  const given = ['--input-type=module', '-e', program, join(folder, 'index.db')];
  return spawnSync(process.execPath, given, { ...unprivileged, encoding: 'utf8' }).stdout.trim();
}

async function makeIndex(): Promise<void> {
  const index = await SemanticIndex.open(folder, { provider: deterministicProvider({ dimensions: 4 }) });
  await index.addDocuments(['text']);
  await index.close();
}

describe('a connection to the catalog', () => {
  it.skipIf(!canTry)('that is to write is refused where it cannot, in words that help', async () => {
    await makeIndex();
    chmodSync(folder, 0o777);
    chmodSync(join(folder, 'index.db'), 0o666);
    expect(tryToConnect(false)).toBe('connected');
    chmodSync(join(folder, 'index.db'), 0o444);
    expect(JSON.parse(tryToConnect(false))).toEqual({
      code: 'IO',
      message: `${join(folder, 'index.db')} is not writable`,
      hint: expect.stringContaining('readonly: true'),
    });
    expect(tryToConnect(true)).toBe('connected');
    for (const file of ['index.db-shm', 'index.db-wal']) rmSync(join(folder, file), { force: true });
    chmodSync(folder, 0o755);
    expect(JSON.parse(tryToConnect(true))).toMatchObject({
      code: 'IO',
      message: `The directory of ${join(folder, 'index.db')} is not writable`,
      hint: expect.stringContaining('Copy the index'),
    });
  });

  it('that is to write opens at once while another one writes', async () => {
    await makeIndex();
    const options = {
      path: join(folder, 'index.db'),
      readonly: false,
      durability: 'process',
      busyTimeout: 60_000,
    } as const;
    const writer = connect(options);
    writer.exec('BEGIN IMMEDIATE');
    const started = performance.now();
    const other = connect(options);
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(other.inTransaction).toBe(false);
    expect(other.pragma('busy_timeout', { simple: true })).toBe(60_000);
    writer.exec('COMMIT');
    other.exec('BEGIN IMMEDIATE; ROLLBACK');
    other.close();
    writer.close();
  });
});
