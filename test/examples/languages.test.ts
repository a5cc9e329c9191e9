import { expect, test } from 'vitest';
import { runProgram } from './run-program.js';

test('Chinese, Japanese and Korean questions find their answers, by words and by both', {
  timeout: 240_000,
}, async () => {
  const { code, stdout, stderr } = await runProgram('examples/languages.ts', []);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' | '));
  expect(lines).toHaveLength(12);
  for (const [place, [, , , found = '']] of lines.entries()) {
    const ids = found.split(', ').map((hit) => hit.split(' ')[0]);
    expect(ids[0]).toBe(place % 4 < 2 ? 'garbage-collection' : 'nearest-neighbours');
  }
  // What comes next in hybrid mode is about the same thing: another text on vectors.
  for (const [, mode, , found = ''] of lines.filter((_, place) => place % 4 >= 2)) {
    if (mode === 'hybrid') expect(found.split(', ')[1]).toContain('vector-search');
  }
});
