import { expect, test } from 'vitest';
import { runProgram } from './run-program.js';

test('a folder becomes a context with correct citations, and only changed files are embedded again', {
  timeout: 240_000,
}, async () => {
  const { code, stdout, stderr } = await runProgram('examples/rag.ts', []);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const numbers = (pattern: RegExp): number[] => (pattern.exec(stdout) ?? []).slice(1).map(Number);
  const [files = 0, chunks = 0, embedded = 0] = numbers(/^(\d+) files became (\d+) chunks, (\d+) embedded/m);
  expect(files).toBeGreaterThan(3);
  expect(chunks).toBeGreaterThan(files);
  expect(embedded).toBeGreaterThan(0);
  const [tokens = 0, budget = 0] = numbers(/^Context: (\d+) of (\d+) tokens/m);
  expect(tokens).toBeGreaterThan(0);
  expect(tokens).toBeLessThanOrEqual(budget);
  const citations = stdout.match(/^\[\d+\] \S+:\d+-\d+ .*$/gm) ?? [];
  expect(citations.length).toBeGreaterThan(0);
  for (const citation of citations) expect(citation).toMatch(/ verified$/);

  const [planned] = numbers(/a dry run said (\d+) to embed/);
  const [added, , , unchanged = 0, again] = numbers(
    /^(\d+) chunks added, (\d+) moved, (\d+) deleted, (\d+) unchanged, (\d+) embedded/m,
  );
  expect(added).toBe(2);
  expect(again).toBe(2);
  expect(planned).toBe(2);
  expect(unchanged).toBeGreaterThanOrEqual(chunks - 2);
  expect(numbers(/^Without the new file again: (\d+) deleted, (\d+) embedded/m)).toEqual([1, 0]);
});
