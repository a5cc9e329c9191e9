import { cpSync, mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DocumentId, type IndexEvent, SemanticIndex } from '../../src/index.js';
import { sqlite } from '../../src/store/sqlite/sqlite.js';
import { deterministicProvider } from '../../src/testing.js';
import { failedChecks, fileDamages, segmentFiles } from './damaged-segment-files.js';
import { expectExhaustive, textOf } from './text-oracle.js';

const provider = deterministicProvider({ dimensions: 8 });
const base = mkdtempSync(join(tmpdir(), 'semantic-index-terms-'));
const sound = join(base, 'sound');
const texts = new Map<DocumentId, string>(
  Array.from({ length: 400 }, (_, n) => {
    const numbers = Array.from({ length: 1 + (n % 9) }, (_, place) => ((n * 17 + place * 37) % 100) / 100);
    return [n, textOf(numbers)];
  }),
);
let directory: string;
let copies = 0;

/** Two segments and a tail, with deleted documents in each. */
beforeAll(async () => {
  // So low that they are not merged into one.
  const index = await open(sound, [], false, false, 30);
  const documents = Array.from(texts, ([id, text]) => ({ id, text }));
  for (const [first, end] of [
    [0, 150],
    [150, 300],
  ] as const) {
    await index.addDocuments(documents.slice(first, end));
    await index.optimize();
  }
  for (let first = 300; first < 400; first += 20) await index.addDocuments(documents.slice(first, first + 20));
  const deleted = [3, 4, 160, 305, 399];
  await index.deleteDocuments(deleted);
  for (const id of deleted) texts.delete(id);
  await index.close();
  // With it the stored rows of the tail would not be read.
  const db = new (sqlite())(join(sound, 'index.db'));
  db.exec("DELETE FROM settings WHERE name = 'tail_image'");
  db.close();
});
afterAll(() => rmSync(base, { recursive: true, force: true }));
beforeEach(() => {
  directory = join(base, `copy ${copies++}`);
  cpSync(sound, directory, { recursive: true, preserveTimestamps: true });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function open(
  path: string,
  events: IndexEvent[],
  background = false,
  readonly = false,
  sealAt = 250,
): Promise<SemanticIndex> {
  const onEvent = (event: IndexEvent) => events.push(event);
  return SemanticIndex.open(path, {
    provider,
    readonly,
    onEvent,
    ann: { background, trees: 2, threads: 1, sealAt },
  });
}

const termsFiles = (path: string): string[] => segmentFiles(path, '.terms');

function change(sql: string, ...parameters: unknown[]): void {
  const db = new (sqlite())(join(directory, 'index.db'));
  try {
    expect(db.prepare(sql).run(...parameters).changes).toBeGreaterThan(0);
  } finally {
    db.close();
  }
}

const damages = fileDamages('terms-missing');

describe.each(damages)('a terms file that %s', (what, type, damage) => {
  it('before opening: answers are right, an event reports it, and it is rebuilt', async () => {
    for (const keepsTime of what === 'is removed' ? [false] : [false, true]) {
      const [file] = termsFiles(directory) as [string];
      const { atime, mtime } = statSync(file);
      damage(file);
      if (what !== 'is removed') utimesSync(file, atime, keepsTime ? mtime : new Date(Date.now() + 2_000));
      const events: IndexEvent[] = [];
      {
        await using index = await open(directory, events, false, true);
        expect(await failedChecks(index)).toEqual(['terms']);
        await expectExhaustive(index, texts);
        expect(events).toMatchObject([{ type }]);
      }
      {
        await using index = await open(directory, events, true);
        await expectExhaustive(index, texts);
        await expect.poll(() => events.map((event) => event.type), { timeout: 20_000 }).toContain('repair');
        await expectExhaustive(index, texts);
        await expect.poll(() => failedChecks(index), { timeout: 20_000 }).toEqual([]);
      }
      expect(events.filter((event) => event.type === 'error')).toEqual([]);
      rmSync(directory, { recursive: true });
      cpSync(sound, directory, { recursive: true, preserveTimestamps: true });
    }
  }, 60_000);

  it('while it is open: answers are right, and it is rebuilt', async () => {
    const events: IndexEvent[] = [];
    await using index = await open(directory, events);
    await expectExhaustive(index, texts);
    damage(termsFiles(directory)[0] as string);
    await expectExhaustive(index, texts);
    await index.optimize({ full: true });
    await expectExhaustive(index, texts);
    expect(await failedChecks(index)).toEqual([]);
    expect(events.filter((event) => event.type === 'error')).toEqual([]);
  }, 60_000);
});

describe('stored terms of the tail', () => {
  it.each([
    ['are missing', 'terms-missing', () => change('DELETE FROM tail_terms')],
    [
      'are missing in part',
      'terms-missing',
      () => change('DELETE FROM tail_terms WHERE rowid IN (SELECT rowid FROM tail_terms LIMIT 1 OFFSET 2)'),
    ],
    ['are not packed terms', 'damage', () => change('UPDATE tail_terms SET data = ?', Buffer.from('no packed terms'))],
    ['are empty', 'damage', () => change('UPDATE tail_terms SET data = ?', Buffer.alloc(0))],
    [
      'claim other keys',
      'damage',
      () =>
        change('UPDATE tail_terms SET last_key = 9007199254740991 WHERE rowid IN (SELECT max(rowid) FROM tail_terms)'),
    ],
  ] as const)(
    'that %s are analyzed again, and stored',
    async (what, type, damage) => {
      damage();
      const events: IndexEvent[] = [];
      {
        await using index = await open(directory, events, false, true);
        if (what !== 'claim other keys') {
          await expectExhaustive(index, texts);
          expect(events.map((event) => event.type)).toContain(type);
          expect(await failedChecks(index)).toEqual(['tail_terms']);
        }
      }
      {
        await using index = await open(directory, events, true);
        await expectExhaustive(index, texts);
        await expect.poll(() => failedChecks(index), { timeout: 20_000 }).toEqual([]);
        await index.addDocuments([{ id: 'new', text: 'anchor zipper' }]);
        await expectExhaustive(index, new Map([...texts, ['new', 'anchor zipper']]));
      }
      expect(events.filter((event) => event.type === 'error')).toEqual([]);
    },
    60_000,
  );

  it('that are those of other documents are found by validate', async () => {
    change('UPDATE tail_terms SET data = (SELECT data FROM tail_terms LIMIT 1)');
    await using index = await open(directory, []);
    expect(await failedChecks(index)).toEqual(['tail_terms']);
  });

  it('are sealed as they are, or from the texts', async () => {
    change('DELETE FROM tail_terms WHERE rowid IN (SELECT rowid FROM tail_terms LIMIT 1 OFFSET 1)');
    const events: IndexEvent[] = [];
    await using index = await open(directory, events);
    await index.optimize();
    await expectExhaustive(index, texts);
    expect(await failedChecks(index)).toEqual([]);
    const db = new (sqlite())(join(directory, 'index.db'), { readonly: true });
    expect(db.prepare('SELECT count(*) FROM tail_terms').pluck().get()).toBe(0);
    db.close();
  });
});
