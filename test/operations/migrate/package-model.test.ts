import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundledProvider, type EmbeddingProvider, SemanticIndex, type SemanticIndexError } from '../../../src/index.js';
import { runHere } from '../../cli/run-here.js';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'package-model-'));
  await using index = await SemanticIndex.open(join(folder, 'index'), { provider: earlier() });
  await index.addDocuments(['How do I reset my password?', 'The cat sleeps on the sofa', 'A refund takes five days']);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The model of the package as another version of the package had it. */
const earlier = (): EmbeddingProvider => {
  const provider = bundledProvider();
  return { ...provider, id: provider.id.replace(/revision=\w+/, 'revision=6db593a4c01b') };
};

describe('an index of the model of an earlier version of the package', () => {
  it('is refused with the way out, which needs the new model only', async () => {
    const directory = join(folder, 'index');
    const error = await SemanticIndex.open(directory).then(
      () => expect.fail('no error'),
      (thrown: SemanticIndexError) => thrown,
    );
    expect(error.code).toBe('SPACE_MISMATCH');
    expect(error.message).toMatch(/revision is "\w{12}", was "6db593a4c01b"/);
    expect(error.hint).toMatch(/`provider: null`.*`migrate\(bundledProvider\(\)\)`/);
    {
      await using index = await SemanticIndex.open(directory, { provider: null });
      const { hits } = await index.search('password', { mode: 'text' });
      expect(hits.map(({ text }) => text)).toEqual(['How do I reset my password?']);
      expect(await index.migrate(bundledProvider())).toMatchObject({ embedded: 3, cutOver: true });
    }
    await using index = await SemanticIndex.open(directory);
    const { hits } = await index.search('a kitten on a couch', { k: 1, mode: 'vector' });
    expect(hits.map(({ text }) => text)).toEqual(['The cat sleeps on the sofa']);
    expect((await index.validate({ level: 'full' })).valid).toBe(true);
  });

  it('is moved by the command that the command line names', { timeout: 60_000 }, async () => {
    const refused = await runHere(['search', 'index', 'password'], { cwd: folder });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('semantic-index migrate index --model bundled');
    expect((await runHere(['migrate', 'index', '--model', 'bundled'], { cwd: folder })).code).toBe(0);
    const found = await runHere(['search', 'index', 'password'], { cwd: folder });
    expect(found.stdout).toContain('reset my password');
  });
});
