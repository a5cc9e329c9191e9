import type { ChunkMetadata, Hit } from 'semantic-index';
import { expect, test } from 'vitest';
import { formatAnswer } from '../../examples/quickstart/format-answer.js';

const hit: Hit<ChunkMetadata> = {
  id: 'a.md#1',
  score: 0.61803,
  text: 'Pass `depth` to look\nfurther down than the first folder.',
  metadata: {
    source: 'a.md',
    chunk: {
      start: 20,
      end: 76,
      startLine: 7,
      endLine: 8,
      headings: ['Use', 'Options'],
      parent: { start: 20, end: 76 },
    },
  },
};

test('an answer names score, file, line and headings, and wraps to the width', () => {
  expect(formatAnswer([hit], { width: 45 })).toBe(
    [
      '1. 0.62  a.md:7  Use › Options',
      '         Pass `depth` to look further down',
      '         than the first folder.',
    ].join('\n'),
  );
});

test('an answer shows the snippet where there is one', () => {
  const place = { start: 21, end: 33, startLine: 8, endLine: 8, ranges: [] };
  const answer = formatAnswer([{ ...hit, snippet: { text: 'further down', ...place } as Hit['snippet'] & object }]);
  expect(answer.split('\n')[1]).toBe('         further down');
});

test('reports an answer without hits', () => {
  expect(formatAnswer([])).toBe('   Nothing found.');
});
