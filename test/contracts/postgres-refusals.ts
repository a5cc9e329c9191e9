import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenOptions, PostgresPool } from '../../src/options.js';
import { postgres } from '../../src/postgres/postgres-options.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import { deterministicProvider } from '../../src/testing.js';
import { dropSchema } from './postgres-stores.js';
import { searchProvider } from './searches.js';

/** What an index in PostgreSQL refuses, and that nothing is left behind by it. */
export function testRefusals(database: string, poolOf: () => PostgresPool): void {
  describe(`${database}: refusals`, () => {
    const name = `refusals; DROP SCHEMA public -- "' ${process.pid}`;
    const open = (options: OpenOptions = {}, readonly?: boolean): Promise<SemanticIndex> =>
      SemanticIndex.open(postgres({ pool: poolOf(), name, readonly }), {
        provider: searchProvider,
        ...options,
        ann: { background: false, ...options.ann },
      });
    const query = async (text: string): Promise<{ rows: Record<string, unknown>[] }> => {
      const client = await poolOf().connect();
      const result = await client.query(text).finally(() => client.release());
      // A list where there are several statements, and in PGlite.
      return [result].flat().at(-1);
    };
    const quoted = `"${name.replaceAll('"', '""')}"`;
    const refused = (code: string, message?: RegExp) => ({
      code,
      ...(message && { message: expect.stringMatching(message) }),
      hint: expect.stringMatching(/\w/),
    });
    beforeEach(() => dropSchema(poolOf(), name));
    afterEach(() => dropSchema(poolOf(), name));

    it('creates nothing when it only reads, or is not to create', async () => {
      await expect(open({ create: false })).rejects.toMatchObject(refused('NOT_AN_INDEX'));
      await expect(open({ readonly: true })).rejects.toMatchObject(refused('NOT_AN_INDEX'));
      await expect(open({}, true)).rejects.toMatchObject(refused('NOT_AN_INDEX'));
      await expect(open({ metric: 'hamming' })).rejects.toMatchObject(refused('UNSUPPORTED', /hamming/));
      await expect(open({ ann: { trees: 3 } })).rejects.toMatchObject(refused('UNSUPPORTED', /ann\.trees/));
      await expect(open({ storage: { durability: 'full' } })).rejects.toMatchObject(
        refused('UNSUPPORTED', /durability/),
      );
      const { rows } = await query(`SELECT count(*)::int AS count FROM pg_namespace WHERE nspname LIKE 'refusals%'`);
      expect(rows).toMatchObject([{ count: 0 }]);
    });

    it('leaves tables of other programs alone', async () => {
      await query(`CREATE SCHEMA ${quoted}; CREATE TABLE ${quoted}.settings (name text, other int)`);
      await expect(open()).rejects.toMatchObject(refused('NOT_AN_INDEX', /another program/));
      expect((await query(`SELECT count(*)::int AS count FROM ${quoted}.settings`)).rows).toMatchObject([{ count: 0 }]);
    });

    it('refuses a newer format, another metric, and another model', async () => {
      await using index = await open();
      await index.addDocuments(['one text']);
      await expect(open({ metric: 'euclidean' })).rejects.toMatchObject(refused('INVALID_ARGUMENT', /angular/));
      await expect(open({ provider: deterministicProvider({ dimensions: 8 }) })).rejects.toMatchObject(
        refused('SPACE_MISMATCH'),
      );
      await query(`UPDATE ${quoted}.settings SET value = '99' WHERE name = 'format'`);
      await expect(open()).rejects.toMatchObject(refused('NEWER_FORMAT'));
    });

    it('changes nothing through a read-only index', async () => {
      await using index = await open();
      await index.addDocuments([{ id: 'a', text: 'one text' }]);
      await using reader = await open({}, true);
      expect((await reader.search('one text')).hits).toHaveLength(1);
      await expect(reader.addDocuments(['other'])).rejects.toMatchObject(refused('READ_ONLY'));
      await expect(reader.deleteDocuments(['a'])).rejects.toMatchObject(refused('READ_ONLY'));
      await expect(reader.updateMetadata([{ id: 'a', metadata: {} }])).rejects.toMatchObject(refused('READ_ONLY'));
      await expect(reader.optimize()).rejects.toMatchObject(refused('READ_ONLY'));
      await expect(open({ language: 'de' }, true)).rejects.toMatchObject(refused('READ_ONLY'));
      expect(await index.count()).toBe(1);
    });

    it('refuses what only a directory can do', async () => {
      await using index = await open();
      await index.addDocuments(['one text']);
      await expect(index.backup('never-written')).rejects.toMatchObject(refused('UNSUPPORTED', /backup/));
      await expect(index.exportTo('never-written.ann', { format: 'annoy' })).rejects.toMatchObject(
        refused('UNSUPPORTED'),
      );
      await expect(index.count({ where: { a: { $contains: 'x\u0001' } } })).rejects.toMatchObject(
        refused('UNSUPPORTED'),
      );
    });

    it('takes hostile ids, texts and metadata as they are', async () => {
      await using index = await open();
      const hostile = [
        `'; DROP TABLE documents; --`,
        '$1',
        '{}',
        '"\\',
        '\u0000',
        'a\u0000b',
        '\u0001\u0002',
        'é漢🦊',
        "s'x",
      ];
      const documents = hostile.map((id, place) => ({
        id,
        text: `${id} text ${place}`,
        metadata: { [`k${id}`]: id, list: [id], place },
      }));
      expect(await index.addDocuments(documents)).toMatchObject({ added: hostile.length });
      expect(await index.addDocuments(documents)).toMatchObject({ added: 0, unchanged: hostile.length });
      for (const [place, id] of hostile.entries()) {
        expect(await index.getDocument(id)).toMatchObject(documents[place] as object);
        expect(await index.count({ where: { [`k${id}`]: id } })).toBe(1);
        expect(await index.count({ where: { list: { $in: [id, '\u0000\u0000'] } } })).toBe(1);
        expect((await index.search(`${id} text`, { where: { [`k${id}`]: { $gte: id } } })).hits).toHaveLength(1);
      }
      expect(await index.deleteDocuments(hostile.slice(1))).toBe(hostile.length - 1);
      expect(await index.count()).toBe(1);
      expect(await index.validate({ level: 'full' })).toMatchObject({ valid: true });
    });

    it('analyzes documents again in another language', async () => {
      await using index = await open();
      await index.addDocuments([
        { id: 'a', text: 'Die Häuser am Fluss' },
        { id: 'b', text: 'Bücher' },
      ]);
      await using german = await open({ language: 'de' });
      expect((await german.search('Haus', { mode: 'text' })).hits.map(({ id }) => id)).toEqual(['a']);
      expect(await german.validate({ level: 'full' })).toMatchObject({ valid: true });
    });
  });
}
