import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { condition } from '../../src/cli/flags/where-condition.js';
import { fieldDefaults } from '../../src/cli/sources/document-fields.js';
import { readRecords } from '../../src/cli/sources/read-records.js';
import { type OnInvalid, RecordChecks } from '../../src/cli/sources/record-checks.js';
import type { RecordFormat } from '../../src/cli/sources/record-format.js';
import { deterministicProvider } from '../../src/embed/testing/deterministic-provider.js';
import { type DocumentInput, SemanticIndex, type SemanticIndexError } from '../../src/index.js';
import { scratchFolder } from './run-cli.js';

interface Reading {
  readonly onInvalid?: OnInvalid;
  readonly encoding?: string;
  readonly numberFields?: string[];
  readonly stdin?: boolean;
  readonly textField?: string;
}

async function read(name: string, content: string | Uint8Array, reading: Reading = {}) {
  const path = join(scratchFolder(), name);
  writeFileSync(path, content);
  const origin = reading.stdin === true ? { stream: Readable.from([Buffer.from(content as string)]) } : { path };
  const checks = new RecordChecks(reading.onInvalid ?? 'error', undefined);
  const documents: DocumentInput[] = [];
  const format = name.split('.').pop() as RecordFormat;
  const { encoding, numberFields, textField } = reading;
  const fields = { ...fieldDefaults, ...(numberFields && { numberFields }), ...(textField && { textField }) };
  const signal = new AbortController().signal;
  for await (const one of readRecords(origin, { name, format, fields, encoding, checks, signal })) documents.push(one);
  return { documents, invalid: checks.invalid };
}

describe('readRecords', () => {
  it.each([
    ['an empty cell', 'a.csv', 'id,text\n1,one\n2,\n3,three\n', 3, 'INVALID_TEXT'],
    ['an id that is there twice', 'a.csv', 'id,text\n1,one\n2,two\n1,three\n', 4, 'DUPLICATE_ID'],
    ['a row that is too long', 'a.csv', 'id,text\n1,one\n2,two,three\n', 3, 'INVALID_FILE'],
    ['a quote that does not end', 'a.csv', 'id,text\n1,one\n2,"two\n', 3, 'INVALID_FILE'],
    ['a row behind one of several lines', 'a.csv', 'id,text\n1,"one\nmore"\n2,\n', 4, 'INVALID_TEXT'],
    ['a vector that is not JSON', 'a.csv', 'text,vector\none,"[1,2]"\ntwo,1 2\n', 3, 'INVALID_VECTOR'],
    [
      'a vector of another length',
      'a.jsonl',
      '{"text":"a","vector":[1,2]}\n{"text":"b","vector":[1]}\n',
      2,
      'DIMENSION_MISMATCH',
    ],
    ['an empty text', 'a.jsonl', '{"id":1,"text":"one"}\n\n{"id":2,"text":" "}\n', 3, 'INVALID_TEXT'],
    ['an id that is null', 'a.jsonl', '{"id":1,"text":"one"}\n{"id":null,"text":"two"}\n', 2, 'INVALID_ID'],
    ['an id that is too large a number', 'a.jsonl', '{"id":1234567890123456789,"text":"one"}\n', 1, 'INVALID_ID'],
    ['a line that is not JSON', 'a.jsonl', '"one"\n{\n', 2, 'INVALID_FILE'],
    ['a number', 'a.jsonl', '"one"\n7\n', 2, 'INVALID_FILE'],
  ])('names file and line of %s, or leaves it out', async (_, name, content, line, code) => {
    const error = (await read(name, content).catch((thrown) => thrown)) as SemanticIndexError;
    expect(error.code).toBe(code);
    expect(error.message).toMatch(new RegExp(`^.*${name}, line ${line}\\b`));
    const { documents, invalid } = await read(name, content, { onInvalid: 'skip' });
    expect(invalid).toEqual([{ place: `${name}, line ${line}`, code, message: error.message }]);
    const records = content.trim().split('\n').length;
    expect(documents.length).toBeLessThan(records);
    if (line > 2) expect(documents.length).toBeGreaterThan(0);
  });

  it('yields nothing of a file with a record that is refused', async () => {
    const path = join(scratchFolder(), 'a.jsonl');
    writeFileSync(path, `${'{"text":"good"}\n'.repeat(2000)}{}\n`);
    const checks = new RecordChecks('error', undefined);
    const options = { name: 'a.jsonl', format: 'jsonl', fields: fieldDefaults, encoding: undefined, checks } as const;
    const documents = readRecords({ path }, { ...options, signal: new AbortController().signal });
    await expect(documents.next()).rejects.toThrow('a.jsonl, line 2001');
  });

  it('reads texts with fields from objects and from several columns', async () => {
    const { documents } = await read('a.jsonl', '{"id":1,"text":{"title":"a","body":"b"},"year":3}\n');
    expect(documents).toEqual([{ id: 1, text: { title: 'a', body: 'b' }, metadata: { year: 3 } }]);
    const table = await read('a.csv', 'id,title,body,year\n1,a,b,3\n2,,12,4\n', { textField: 'title,body' });
    expect(table.documents).toEqual([
      { id: '1', text: { title: 'a', body: 'b' }, metadata: { year: 3 } },
      { id: '2', text: { body: '12' }, metadata: { year: 4 } },
    ]);
    await expect(read('b.csv', 'id,title,body\n1,,\n', { textField: 'title,body' })).rejects.toMatchObject({
      code: 'INVALID_TEXT',
    });
  });

  it('takes quotes in tab-separated values as data', async () => {
    const { documents } = await read('a.tsv', 'id\ttext\n1\ta 27" screen\n2\t"Yes" is an answer\n3\t"\n');
    expect(documents.map(({ text }) => text)).toEqual(['a 27" screen', '"Yes" is an answer', '"']);
  });

  it('gives every column one type', async () => {
    const { documents } = await read(
      'a.csv',
      'text,active,release,zip,count,mixed,day,big,price\none,true,1.10,02116,7,1,2024-05-01,12345678901234567890,2.50\ntwo,FALSE,1.1,94107,-3.5,x,2023-01-01,1,3\nthree,,,,,,,,\n',
      { numberFields: ['price'] },
    );
    expect(documents.map(({ metadata }) => metadata)).toEqual([
      {
        active: true,
        release: '1.10',
        zip: '02116',
        count: 7,
        mixed: '1',
        day: '2024-05-01',
        big: '12345678901234567890',
        price: 2.5,
      },
      { active: false, release: '1.1', zip: '94107', count: -3.5, mixed: 'x', day: '2023-01-01', big: '1', price: 3 },
      undefined,
    ]);
    await expect(read('a.csv', 'text,price\none,2.50\ntwo,free\n', { numberFields: ['price'] })).rejects.toThrow(
      'a.csv, line 3: expected a number in the column "price", got "free"',
    );
    await expect(read('a.csv', 'text,x,x\none,1,2\n')).rejects.toThrow('line 1: the column "x" is there twice');
  });

  it('gives back every cell as it was written, whatever the table', async () => {
    const cell = fc.oneof(
      fc.constantFrom(
        '',
        '1',
        '1.0',
        '1.10',
        '007',
        '-0',
        '1e5',
        'NaN',
        'Infinity',
        'true',
        'false',
        '0x1f',
        ' 1',
        '9007199254740993',
      ),
      fc.double({ noNaN: true }).map(String),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    );
    const rows = fc.array(fc.record({ a: cell, b: cell }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(rows, fc.boolean(), async (table, stdin) => {
        const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
        const content = `text,a,b\n${table.map(({ a, b }, row) => `row ${row},${quoted(a)},${quoted(b)}`).join('\n')}\n`;
        const { documents } = await read('a.csv', content, { stdin });
        for (const column of ['a', 'b'] as const) {
          const values = documents.map(({ metadata }) => metadata?.[column]);
          expect(new Set(values.filter((value) => value !== undefined).map((value) => typeof value)).size).toBeLessThan(
            2,
          );
          values.forEach((value, row) => {
            const written = table[row]?.[column];
            const lowered = typeof value === 'boolean' ? written?.toLowerCase() : written;
            expect(value === undefined ? '' : String(value)).toBe(lowered);
          });
        }
      }),
      { numRuns: 150 },
    );
  });

  it('reads tables in other encodings', async () => {
    const table = 'id\ttext\n1\tStraße 5 €\n';
    const texts = async (content: Uint8Array, encoding?: string) =>
      (await read('a.tsv', content, encoding === undefined ? {} : { encoding })).documents.map(({ text }) => text);
    expect(await texts(Buffer.from(`\uFEFF${table}`, 'utf16le'))).toEqual(['Straße 5 €']);
    expect(await texts(Buffer.from(table, 'utf16le'))).toEqual(['Straße 5 €']);
    expect(await texts(Buffer.from(`\uFEFF${table}`))).toEqual(['Straße 5 €']);
    expect(await texts(Buffer.from(table), 'windows-1252')).toEqual(['Straße 5 €']);
    const latin = Buffer.from('id\ttext\n1\tStraße\n', 'latin1');
    expect(await texts(latin, 'windows-1252')).toEqual(['Straße']);
    await expect(texts(latin)).rejects.toThrow('a.tsv: it is not UTF-8: line 2 has the byte 0xdf');
    await expect(texts(Uint8Array.from([0x50, 0x4b, 3, 4, 0, 0, 1, 2]))).rejects.toThrow('a.tsv: it is not text');
  });
});

describe('--where', () => {
  it('finds what the table says, by every operator', async () => {
    const { documents } = await read(
      'a.csv',
      'id,text,active,release,zip,day,count\na,one,true,1.10,02116,2024-05-01,7\nb,two,false,1.1,94107,2023-01-01,10\n',
    );
    await using index = await SemanticIndex.open(':memory:', { provider: deterministicProvider({ dimensions: 4 }) });
    await index.addDocuments(documents);
    const found = async (text: string) =>
      (await index.listDocuments({ where: condition(text, undefined) })).documents.map(({ id }) => id).join();
    for (const [text, ids] of [
      ['active=true', 'a'],
      ['active = TRUE', 'a'],
      ['active!=true', 'b'],
      ['release=1.10', 'a'],
      ['release!=1.10', 'b'],
      ['zip=02116', 'a'],
      ['zip="02116"', 'a'],
      ['day>=2024', 'a'],
      ['day<2024-01-01', 'b'],
      ['count>7', 'b'],
      ['count>=7', 'a,b'],
      ['count <= 7', 'a'],
      ['count=7', 'a'],
      ['count!=7', 'b'],
      ['{"count":{"$gt":7}}', 'b'],
    ])
      expect(await found(text as string), text).toBe(ids);
  });

  it.each(['a==b', 'a=>1', 'a=<1', 'a<>1', 'a~=b', 'a^=b', 'a*=b', 'a', '=b', '!a', 'a>true', '{"a"'])(
    'refuses %s',
    (text) => {
      expect(() => condition(text, undefined)).toThrow(/Expected|There is no operator|It is not JSON/);
    },
  );
});
