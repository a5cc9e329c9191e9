import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test as plainTest, vi } from 'vitest';
import { gatewaySockets } from '../../../src/server/gateway/gateway-sockets.js';

// There are no folders on Windows: named pipes go with their process.
const test = plainTest.skipIf(process.platform === 'win32');
const built = new URL('../../../dist/server/gateway/gateway-sockets.js', import.meta.url);
const program = `import { createServer } from 'node:net';
import { gatewaySockets } from ${JSON.stringify(built.href)};
const sockets = await gatewaySockets();
createServer().listen(sockets.next(), () => console.log('listening'));`;

/** A folder for temporary files of this test alone. */
function ownTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'si-'));
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** Another process with sockets of its own, one of them in use. */
async function startOther(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('.', built)),
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

test('files of a killed process are removed by the next; those of a running one stay', async () => {
  const folder = ownTemporaryFolder();
  const first = await startOther();
  const [left] = readdirSync(folder);
  await startOther();
  expect(readdirSync(folder)).toHaveLength(2);
  first.kill('SIGKILL');
  await once(first, 'exit');

  const sockets = await gatewaySockets();
  const folders = readdirSync(folder);
  expect(folders).toHaveLength(2);
  expect(folders).not.toContain(left);
  sockets.remove();
  expect(readdirSync(folder)).toHaveLength(1);
});

test('an empty folder is swept when it is old; nothing else is touched', async () => {
  const folder = ownTemporaryFolder();
  const old = new Date(Date.now() - 3_600_000);
  for (const name of ['si-gateway-young', 'si-gateway-old', 'si-gateway-full', 'elsewhere'])
    mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'si-gateway-full', 'a-file'), '');
  writeFileSync(join(folder, 'elsewhere', 'alive'), '');
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'si-gateway-link'));
  for (const name of ['si-gateway-old', 'si-gateway-full']) utimesSync(join(folder, name), old, old);

  const sockets = await gatewaySockets();
  sockets.remove();
  const left = ['elsewhere', 'si-gateway-full', 'si-gateway-link', 'si-gateway-young'];
  expect(readdirSync(folder).sort()).toEqual(left);
  expect(readdirSync(join(folder, 'elsewhere'))).toEqual(['alive']);
});
