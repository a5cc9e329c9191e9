import { expect, test } from 'vitest';
import { runProgram } from './run-program.js';

test('Chinese, Japanese and Korean questions find their answers, by words and by both', { timeout: 60_000 }, async () => {
  const { code, stdout, stderr } = await runProgram('examples/languages.ts', []);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n').map((line) => line.split(' | '));
  expect(lines).toHaveLength(12);
  for (const [place, [, , , found = '']] of lines.entries()) {
    const ids = found.split(', ').map((hit) => hit.split(' ')[0]);
    expect(ids[0]).toBe(place % 4 < 2 ? 'garbage-collection' : 'nearest-neighbours');
  }
  // What comes next is about the same thing: other texts on vectors.
  const second = lines.filter((_, place) => place % 4 >= 2).map(([, , , found = '']) => found.split(', ')[1]?.split(' ')[0]);
  for (const id of second) expect(['vector-search', 'embeddings', 'random-trees', undefined]).toContain(id);
});
