import { expect, test } from 'vitest';
import { formatAnswer, snippet } from '../../examples/quickstart/format-answer.js';

const hit = {
  id: 'a.md#Use › Options',
  score: 0.61803,
  text: 'Use › Options\nPass `depth` to look\nfurther down than the first folder.',
  metadata: { source: 'a.md', heading: 'Use › Options' },
};

test('a snippet is the text without its heading, on one line', () => {
  expect(snippet(hit.text, hit.metadata.heading)).toBe('Pass `depth` to look further down than the first folder.');
  expect(snippet('No heading here', '')).toBe('No heading here');
});

test('a long snippet ends at a word, and a text without spaces ends anyway', () => {
  const words = snippet('word '.repeat(100), '');
  expect(words.length).toBeLessThan(225);
  expect(words).toMatch(/word …$/);
  expect(snippet('x'.repeat(500), '')).toBe(`${'x'.repeat(220)} …`);
});

test('an answer names score, source and heading, and wraps to the width', () => {
  expect(formatAnswer([hit], { width: 45 })).toBe(
    [
      '1. 0.62  a.md  Use › Options',
      '         Pass `depth` to look further down',
      '         than the first folder.',
    ].join('\n'),
  );
});

test('reports an answer without hits', () => {
  expect(formatAnswer([])).toBe('   Nothing found.');
});
