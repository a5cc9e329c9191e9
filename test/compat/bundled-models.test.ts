import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { bundledProvider, SemanticIndex, type SemanticIndexError } from '../../src/index.js';
import { scratchDirectory } from '../scratch-directory.js';

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url));
const prefix = 'bundled-model-';
const revisions = readdirSync(fixtures).flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));

describe.each(revisions)('an index of the bundled model of revision %s', (revision) => {
  let directory: string;
  beforeEach(() => {
    directory = scratchDirectory('former-model-');
    cpSync(join(fixtures, prefix + revision), directory, { recursive: true });
  });

  it('is refused with the way out', async () => {
    const error = await SemanticIndex.open(directory).then(
      () => expect.fail('no error'),
      (thrown: SemanticIndexError) => thrown,
    );
    expect(error.code).toBe('SPACE_MISMATCH');
    expect(error.message).toContain(`was "${revision}"`);
    expect(error.hint).toMatch(/`provider: null`.*`migrate\(bundledProvider\(\)\)`/);
  });

  it('finds words without a model', async () => {
    await using index = await SemanticIndex.open(directory, { provider: null, readonly: true });
    const { hits } = await index.search('refund', { mode: 'text' });
    expect(hits.map(({ id }) => id)).toEqual(['refund']);
  });

  it('is moved to the model of this version, and then opens with it', async () => {
    {
      await using index = await SemanticIndex.open(directory, { provider: null });
      expect(await index.migrate(bundledProvider())).toMatchObject({ embedded: 4, cutOver: true });
    }
    await using index = await SemanticIndex.open(directory);
    for (const [query, id] of [
      ['a kitten on a couch', 'cat'],
      ['I forgot my login', 'password'],
      ['railway timetable', 'train'],
    ] as const) {
      const { hits } = await index.search(query, { k: 1, mode: 'vector' });
      expect(hits.map((hit) => hit.id)).toEqual([id]);
    }
    expect((await index.validate({ level: 'full' })).valid).toBe(true);
  });
});
