import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fileFacts, setModified } from '../../../src/store/directory/files.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'semantic-index-files-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// A millisecond less, and every opening would read the file through, believing that somebody had touched it.
it('reads the time of change that was set, to the millisecond', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, 'x');
  for (let mtime = 1_795_273_525_000; mtime < 1_795_273_526_000; mtime++) {
    await setModified(path, mtime);
    expect((await fileFacts(path))?.mtime).toBe(mtime);
  }
});
