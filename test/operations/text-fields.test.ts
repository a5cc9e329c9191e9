import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyzeQuery, indexedTermsOf } from '../../src/analysis/analyze.js';
import { deterministicProvider } from '../../src/embed/testing/deterministic-provider.js';
import { Random } from '../../src/random.js';
import { SemanticIndex } from '../../src/semantic-index.js';
import type { DocumentInput, EmbeddingProvider, TextFields } from '../../src/types.js';

const directory = mkdtempSync(join(tmpdir(), 'text-fields-'));
const weights = { title: 5, body: 1, keywords: 2, note: 0 };
const template = '{title}\n\nKeys: {keywords}\n{body}';
const words = ['harbor', 'Night', 'running', 'cats', 'red', 'the', 'sea', 'C++', 'light-house', 'naïve', 'run', 'café'];

/** What was embedded. */
const embedded: string[] = [];
const inner = deterministicProvider({ dimensions: 16 });
const provider: EmbeddingProvider = {
  ...inner,
  id: inner.id,
  embed: (texts, options) => {
    if (options.role === 'document') embedded.push(...texts);
    return inner.embed(texts, options);
  },
};

const random = new Random(7);
const pick = (count: number): string =>
  Array.from({ length: count }, () => words[Math.floor(random.number() ** 2 * words.length)]).join(' ');

/** Documents with some of the fields, some without any. */
const documents: (DocumentInput & { id: number; text: string | TextFields })[] = Array.from(
  { length: 400 },
  (_, id) => {
    if (id % 7 === 0) return { id, text: `${pick(4)} ${id}` };
    const fields: Record<string, string> = { body: `${pick(1 + (id % 30))}\n${pick(3)}` };
    if (id % 3 !== 0) fields.title = pick(1 + (id % 3));
    if (id % 5 === 0) fields.keywords = pick(2);
    if (id % 4 === 0) fields.note = 'secret note';
    return { id, text: fields };
  },
);

/** BM25F by its definition: frequencies and lengths of fields times their weights (Robertson, Zaragoza and Taylor 2004). */
function oracle(query: string, weightOf: Readonly<Record<string, number>>): Map<number, number> {
  const counted = documents.map(({ text }) => {
    const counts = new Map<string, number>();
    let length = 0;
    for (const [field, value] of Object.entries(typeof text === 'string' ? { '': text } : text)) {
      const weight = field === '' ? 1 : (weightOf[field] as number);
      for (const term of indexedTermsOf(value)) {
        length += weight;
        counts.set(term, (counts.get(term) ?? 0) + weight);
      }
    }
    return { counts, length };
  });
  const average = counted.reduce((sum, { length }) => sum + length, 0) / counted.length;
  const { terms, weights: times } = analyzeQuery(query);
  const scores = new Map<number, number>();
  for (const [place, term] of terms.entries()) {
    const having = counted.filter(({ counts }) => (counts.get(term) ?? 0) > 0).length;
    const idf = Math.log(1 + (counted.length - having + 0.5) / (having + 0.5));
    for (const [id, { counts, length }] of counted.entries()) {
      const frequency = counts.get(term) ?? 0;
      if (frequency === 0) continue;
      const share =
        ((times[place] as number) * idf * frequency) / (frequency + 1.2 * (0.25 + (0.75 * length) / average));
      scores.set(id, (scores.get(id) ?? 0) + share);
    }
  }
  return scores;
}

async function expectOracle(index: SemanticIndex, weightOf: Readonly<Record<string, number>>): Promise<void> {
  for (const query of ['harbor', 'cats running', 'red sea run', 'C++ café', 'light-house night naive']) {
    const { hits } = await index.search(query, { mode: 'text', k: 400, typos: false });
    const expected = oracle(query, weightOf);
    expect(new Set(hits.map(({ id }) => id))).toEqual(new Set(expected.keys()));
    for (const { id, score } of hits) expect(score).toBeCloseTo(expected.get(id as number) as number, 5);
    const scores = hits.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  }
}

describe('fields of text', () => {
  const path = join(directory, 'index');
  const open = (options: object = {}) => SemanticIndex.open(path, { provider, ann: { background: false }, ...options });
  let index: SemanticIndex;
  beforeAll(async () => {
    index = await open({ textFields: weights, textTemplate: template });
    await index.addDocuments(documents.slice(0, 250));
    await index.optimize();
    await index.addDocuments(documents.slice(250));
  });
  afterAll(async () => {
    await index.close();
    rmSync(directory, { recursive: true });
  });

  it('scores words by BM25F, in segments and in the tail', async () => {
    const { segments, tail, textFields, textTemplate } = await index.stats();
    expect([segments.length > 0, tail, textFields, textTemplate]).toEqual([true, 150, weights, template]);
    await expectOracle(index, weights);
    expect((await index.search('secret', { mode: 'text', typos: false })).hits).toEqual([]);
  });

  it('embeds what the template names', () => {
    const withAll = documents.find(({ text }) => typeof text !== 'string' && text.title && text.keywords && text.note);
    const { title, keywords, body } = (withAll as { text: TextFields }).text;
    expect(embedded).toContain(`${title}\n\nKeys: ${keywords}\n${body}`);
    const without = documents.find(({ text }) => typeof text !== 'string' && !text.title && !text.keywords);
    expect(embedded).toContain((without as { text: TextFields }).text.body);
    expect(embedded.some((text) => text.includes('secret') || text.includes('\u001E'))).toBe(false);
  });

  it('returns fields as they were added, and skips unchanged documents', async () => {
    for (const { id, text } of documents) {
      const found = await index.getDocument(id);
      expect(found?.textFields).toEqual(typeof text === 'string' ? undefined : text);
      if (typeof text === 'string') expect(found?.text).toBe(text);
    }
    const again = await index.addDocuments(documents);
    expect(again).toMatchObject({ added: 0, updated: 0, unchanged: 400, embedded: 0 });
    const { documents: listed } = await index.listDocuments({ limit: 10 });
    expect(await index.addDocuments(listed)).toMatchObject({ unchanged: 10 });
    expect(await index.plan(documents.map((one) => ({ ...one, id: `new-${one.id}` })))).toMatchObject({ embed: 0 });
    const { hits } = await index.search('harbor', { k: 5 });
    expect(hits.every(({ id, textFields }) => (textFields === undefined) === ((id as number) % 7 === 0))).toBe(true);
  });

  it('shows in snippets where words are in their fields', async () => {
    const { hits } = await index.search('harbor night', { mode: 'text', k: 20, snippet: { maxTokens: 12 } });
    let ranges = 0;
    for (const { text, textFields, snippet } of hits) {
      expect(snippet?.text).toBe(text.slice(snippet?.start, snippet?.end));
      if (textFields === undefined) continue;
      expect(snippet?.textFields?.length).toBeGreaterThan(0);
      for (const { field, start, end, ranges: own } of snippet?.textFields ?? []) {
        const value = textFields[field] as string;
        expect(snippet?.text).toContain(value.slice(start, end));
        for (const range of own) {
          ranges++;
          expect(value.slice(range.start, range.end)).toMatch(/^(harbor|night)$/i);
        }
      }
    }
    expect(ranges).toBeGreaterThan(10);
  });

  it('finds phrases inside one field only', async () => {
    await index.addDocuments([
      { id: 'apart', text: { title: 'zebra', body: 'crossing here' } },
      { id: 'together', text: { title: 'other', body: 'a zebra crossing' } },
    ]);
    const found = await index.search('"zebra crossing"', { mode: 'text', syntax: 'operators' });
    expect(found.hits.map(({ id }) => id)).toEqual(['together']);
    await index.deleteDocuments(['apart', 'together']);
    await index.optimize({ full: true });
  });

  it('exports and imports them, and finds nothing wrong', async () => {
    const target = join(directory, 'export');
    await index.exportTo(target);
    const line = JSON.parse(readFileSync(join(target, 'documents.jsonl'), 'utf8').split('\n')[1] as string);
    expect(line.textFields).toEqual(documents[1]?.text);
    await using copy = await SemanticIndex.open(':memory:', { provider, textFields: weights, textTemplate: template });
    expect(await copy.importFrom(target)).toMatchObject({ added: 400, embedded: 0 });
    expect((await copy.getDocument(1))?.textFields).toEqual(documents[1]?.text);
    await using other = await SemanticIndex.open(':memory:', { provider, textFields: weights });
    await expect(other.importFrom(target)).rejects.toMatchObject({ code: 'INVALID_FILE' });
    await using plain = await SemanticIndex.open(':memory:', { provider });
    await expect(plain.importFrom(target)).rejects.toMatchObject({ code: 'INVALID_FILE' });
    const report = await index.validate({ level: 'full' });
    expect(report.checks.filter(({ passed, severity }) => !passed && severity === 'error')).toEqual([]);
  });

  it('indexes words again when weights change, without embedding', async () => {
    await index.close();
    embedded.length = 0;
    const others = { keywords: 0, body: 3, title: 1, note: 7 };
    index = await open({ textFields: others });
    await expectOracle(index, others);
    await index.optimize({ full: true });
    await expectOracle(index, others);
    expect(embedded).toEqual([]);
    expect(Object.keys((await index.stats()).textFields ?? {})).toEqual(Object.keys(weights));
    await index.close();
    await expect(open({ textFields: { title: 1, body: 1 } })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(open({ textTemplate: '{body}' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    index = await open({ textFields: weights });
    await expectOracle(index, weights);
  });
});

describe('many texts with fields', () => {
  it('are embedded and analyzed in threads as one by one', async () => {
    const options = { textFields: weights, textTemplate: template };
    await using index = await SemanticIndex.open(':memory:', options);
    await using single = await SemanticIndex.open(':memory:', options);
    await using plain = await SemanticIndex.open(':memory:');
    // Enough characters for a thread.
    const long = documents.slice(0, 60).map((one) => ({
      ...one,
      text: typeof one.text === 'string' ? one.text : { ...one.text, body: `${one.text.body} ${pick(150)}` },
    }));
    await index.addDocuments(long);
    for (const one of long.slice(0, 8)) await single.addDocuments([one]);
    for (const { id } of long.slice(0, 8)) {
      const { text } = (await index.getDocument(id)) as { text: string };
      await plain.addDocuments([{ id, text: text.replace(/\n\nsecret note$/, '') }]);
      const [vector] = await index.getVectors([id]);
      expect(vector).toEqual((await plain.getVectors([id]))[0]);
      expect(vector).toEqual((await single.getVectors([id]))[0]);
    }
    const report = await index.validate({ level: 'full' });
    expect(report.checks.filter(({ passed, severity }) => !passed && severity === 'error')).toEqual([]);
  });
});

describe('texts that begin with the sign of fields', () => {
  it('stay what they are', async () => {
    const texts = ['\u001E[3,["title",0,3]]\nabc', '\u001E', '\u001Enot JSON\nx y', '\u001E[99]\nabc zebra'];
    await using index = await SemanticIndex.open(':memory:', { provider });
    await index.addDocuments(texts.filter((text) => text.trim() !== '').map((text) => ({ id: text, text })));
    for await (const { id, text, textFields } of index.documents()) {
      expect(text).toBe(id);
      expect(textFields).toBeUndefined();
    }
    expect((await index.search('zebra', { mode: 'text' })).hits.map(({ text }) => text)).toEqual([texts[3]]);
  });
});

describe('bad input', () => {
  it('refuses weights and templates that cannot be', async () => {
    const bad = [
      [{}, /expected 1 to 32 fields/],
      [[], /an object of weights by field/],
      [{ title: -1 }, /an integer from 0 to 100 as weight of the field title, got -1/],
      [{ title: Number.NaN }, /got NaN/],
      [{ title: 2.5 }, /got 2\.5/],
      [{ title: '3' }, /got "3"/],
      [{ title: 0 }, /a weight above 0/],
      [{ '': 1 }, /the name of a field/],
      [{ 'a b': 1 }, /the name of a field/],
    ] as const;
    for (const [textFields, message] of bad) {
      await expect(SemanticIndex.open(':memory:', { provider, textFields: textFields as never })).rejects.toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) }),
      );
    }
    for (const [textTemplate, message] of [
      ['title', /expected a field such as/],
      ['{titel}', /unknown field \{titel\}/],
      ['{title}{title}', /twice/],
      [3, /expected a string/],
    ] as const) {
      const options = { provider, textFields: { title: 1, body: 1 }, textTemplate: textTemplate as never };
      await expect(SemanticIndex.open(':memory:', options)).rejects.toThrow(message);
    }
    await expect(SemanticIndex.open(':memory:', { provider, textTemplate: '{a}' })).rejects.toThrow(/textFields/);
  });

  it('refuses documents with other fields', async () => {
    await using index = await SemanticIndex.open(':memory:', {
      provider,
      textFields: { title: 3, body: 1 },
      textTemplate: '{body}',
    });
    for (const [text, message] of [
      [{ titel: 'x', body: 'y' }, /unknown field "titel"/],
      [{ title: 3 }, /The field title of the text of document 0 is 3, expected a string/],
      [{ title: null }, /expected a string/],
      [{}, /is empty/],
      [{ title: ' ', body: '' }, /is empty/],
      [{ title: 'only' }, /nothing to embed: it has only title/],
      [['a'], /is an array|The text of document 0/],
    ] as const) {
      await expect(index.addDocuments([{ text: text as never }])).rejects.toThrow(
        expect.objectContaining({ code: 'INVALID_TEXT', message: expect.stringMatching(message) }),
      );
    }
    const unlike = { text: 'other', textFields: { title: 'a', body: 'b' } };
    await expect(index.addDocuments([unlike])).rejects.toThrow(/not the text that its textFields make/);
    await using plain = await SemanticIndex.open(':memory:', { provider });
    await expect(plain.addDocuments([{ text: { title: 'a' } }])).rejects.toThrow(/has fields, and the index has none/);
    await plain.addDocuments(['a plain text']);
    expect(await index.count()).toBe(0);
  });
});
