import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { overlapEncoder } from '../embed/transformers/overlap-encoder.js';
import { scratchFolder } from './run-cli.js';
import { runHere, runJsonHere } from './run-here.js';

test('search reranks by a cross-encoder, within a budget', { timeout: 240_000 }, async () => {
  const cwd = scratchFolder();
  writeFileSync(join(cwd, 'texts.jsonl'), '{"id":"a","text":"the dog"}\n{"id":"b","text":"the dog sat on the mat"}\n');
  await runJsonHere(['init', 'idx'], { cwd });
  await runJsonHere(['add', 'idx', 'texts.jsonl'], { cwd });
  const search = ['search', 'idx', 'the dog', '--rerank-model', overlapEncoder()];
  // Pairs of equal words of the query and the text.
  expect(await runJsonHere([...search, '--rerank-budget', '60000'], { cwd })).toMatchObject({
    hits: [
      { id: 'b', score: 3 },
      { id: 'a', score: 2 },
    ],
    reranked: { judged: 2, of: 2 },
  });
  for (const [flags, message] of [
    [['--rerank', 'tokens'], /cannot be used with option '--rerank-model/],
    [['--rerank-budget', '0'], /Expected a positive integer/],
  ] as const) {
    const refused = await runHere([...search, ...flags], { cwd });
    expect(refused, flags.join(' ')).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
  }
  const missing = await runHere(['search', 'idx', 'the dog', '--rerank-model', './none'], { cwd });
  expect(missing.stderr).toMatch(/no config\.json/);
  const alone = await runHere(['search', 'idx', 'the dog', '--rerank-budget', '50'], { cwd });
  expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining('rerankBudget') });
});
