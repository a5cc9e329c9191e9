import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SemanticIndex } from '../../src/index.js';
import { runHere } from './run-here.js';

let cwd: string;
const search = (...flags: string[]) =>
  runHere(['search', 'idx', '"lantern copper"', '--mode', 'text', '--syntax', 'operators', ...flags], { cwd });

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'semantic-index-'));
  await using index = await SemanticIndex.open(join(cwd, 'idx'));
  const without = Array.from({ length: 9_000 }, (_, id) => ({ id: `other ${id}`, text: 'copper and lantern' }));
  const long = `lantern copper ${'and so on '.repeat(50)}`;
  await index.addDocuments([...without, { id: 'short', text: 'lantern copper' }, { id: 'long', text: long }]);
}, 120_000);
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('search for a phrase whose words are common', () => {
  it('notes how many texts it looked through', async () => {
    const { code, stdout, stderr } = await search();
    expect(code).toBe(0);
    expect(stdout).toContain('short');
    expect(stdout).not.toContain('long');
    expect(stderr).toContain(
      'Looked for the phrases in the best 8,192 texts of 9,002 with their words; --exact reads all\n',
    );
  });

  it('reports that in JSON in place of a note', async () => {
    const { stdout, stderr } = await search('--json');
    expect(JSON.parse(stdout)).toMatchObject({ hits: [{ id: 'short' }], phrases: { read: 8_192, of: 9_002 } });
    expect(stderr).toBe('');
  });

  it('reads all texts with --exact, without a note', async () => {
    const { code, stdout, stderr } = await search('--exact');
    expect(code).toBe(0);
    expect(stdout).toContain('short');
    expect(stdout).toContain('long');
    expect(stderr).not.toContain('Looked for the phrases');
  });
});
