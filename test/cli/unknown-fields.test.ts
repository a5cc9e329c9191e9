import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SemanticIndex } from '../../src/index.js';
import { runHere } from './run-here.js';

let cwd: string;
const run = (...args: string[]) => runHere(args, { cwd });

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'semantic-index-'));
  await using index = await SemanticIndex.open(join(cwd, 'idx'));
  await index.addDocuments([{ id: 1, text: 'a lantern', metadata: { lang: 'en', author: { name: 'Ada' } } }]);
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('a condition on a field that no document has', () => {
  it.each([
    ['search', ['search', 'idx', 'lantern', '--where', 'lnag=en'], '"lnag"'],
    ['similar', ['similar', 'idx', '1', '--where', 'lnag=en'], '"lnag"'],
    ['list', ['list', 'idx', '--where', 'autor.name=Ada'], '"autor.name"'],
    ['delete', ['delete', 'idx', '--where', '{"$or":[{"lnag":"en"},{"$not":{"log":null}}]}'], '"lnag" or "log"'],
  ])('is noted by %s where nothing matches', async (_, args, names) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(0);
    expect(stderr).toContain(`No document has the field ${names}\n`);
  });

  it('is not noted where documents match, or have the field', async () => {
    for (const where of ['{"lnag":null}', 'lang=de', 'author.name=Bob']) {
      const { stderr } = await run('list', 'idx', '--where', where);
      expect(stderr).toBe('');
    }
  });

  it('leaves JSON as it is', async () => {
    const { stdout, stderr } = await run('search', 'idx', 'lantern', '--where', 'lnag=en', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ hits: [] });
    expect(stderr).not.toContain('{');
  });
});
