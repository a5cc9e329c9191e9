import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readQuestions } from '../../src/evaluation/read-questions.js';

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-questions-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
function file(content: string | Uint8Array): string {
  const path = join(folder, `file-${++files}`);
  writeFileSync(path, content);
  return path;
}

describe('readQuestions', () => {
  it('reads one JSON object per line, in UTF-16 too', async () => {
    const text =
      '{"query": "a?", "relevant": ["x", 7]}\r\n\r\n{"id": "q", "query": "b?", "relevant": {"7": 2}}\n{"query": "c?", "relevant": []}\n';
    const expected = {
      questions: [
        { id: '1', query: 'a?', relevant: ['x', 7] },
        { id: 'q', query: 'b?', relevant: { 7: 2 } },
      ],
      unjudged: ['4'],
    };
    expect(await readQuestions(file(text))).toEqual(expected);
    expect(await readQuestions(file(Buffer.from(`\ufeff${text}`, 'utf16le')))).toEqual(expected);
  });

  it('joins questions with TREC qrels and with the columns of BEIR', async () => {
    const tabbed = file('1\tWhere do ships rest?\n2\tWho bakes?\n3\tWhen?\n');
    const beir = file(
      '{"_id": "1", "text": "Where do ships rest?"}\n{"_id": "2", "text": "Who bakes?"}\n{"_id": "3", "text": "When?"}',
    );
    const trec = file('1 0 harbour 2\n1 0 port 0\n2 0 12 1\n3 0 port 0\n');
    const columns = file('query-id\tcorpus-id\tscore\n1\tharbour\t2\n1\tport\t0\n2\t12\t1\n3\tport\t0\n');
    const expected = {
      questions: [
        { id: '1', query: 'Where do ships rest?', relevant: { harbour: 2, port: 0 } },
        { id: '2', query: 'Who bakes?', relevant: { 12: 1 } },
      ],
      unjudged: ['3'],
    };
    for (const questions of [tabbed, beir]) {
      for (const qrels of [trec, columns]) expect(await readQuestions(questions, { qrels })).toEqual(expected);
    }
  });

  it.each([
    ['text without JSON', 'a\n', undefined, /line 1: expected JSON/],
    ['no judgments', '\n{"query": "a"}\n', undefined, /line 2: expected \{ "query"/],
    ['an empty file', '\n', undefined, /is empty/],
    ['a question without a tab', '1\ta\n2 b\n', '1 0 x 1\n', /line 2: expected an id, a tab/],
    ['a question twice', '1\ta\n1\tb\n', '1 0 x 1\n', /line 2: the question "1" occurs twice/],
    ['qrels of two columns', '1\ta\n', '1 0 x 1\n1 x\n', /line 2: .* got 2 columns/],
    ['a grade that is not a number', '1\ta\n', '1 0 x 1\n1 0 y good\n', /line 2/],
    ['qrels of another set', '1\ta\n', '2 0 x 1\n', /judges the question "2"/],
    ['bytes that are not text', new Uint8Array([0, 1, 2, 0, 255]), undefined, /is not text/],
  ])('refuses %s', async (_, questions, qrels, message) => {
    const reading = readQuestions(file(questions), { qrels: qrels === undefined ? undefined : file(qrels) });
    await expect(reading).rejects.toMatchObject({ code: 'INVALID_FILE', message: expect.stringMatching(message) });
  });

  it('names a file that cannot be read', async () => {
    await expect(readQuestions(join(folder, 'missing'))).rejects.toMatchObject({ code: 'IO', message: /missing/ });
  });
});
