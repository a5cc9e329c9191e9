import { describe, expect, test } from 'vitest';
import { answerTokens } from '../../../src/server/mcp/answer-tokens.js';

describe('answerTokens', () => {
  test('counts hashes and keys as more tokens than words of the same length', () => {
    const key = 'aB3'.repeat(40);
    expect(answerTokens(key)).toBeGreaterThan(1.5 * answerTokens('abc'.repeat(40)));
  });

  test('takes time in proportion to the text, also for one run of millions of characters', () => {
    // Looking ahead from each character of this run took longer than a minute.
    expect(answerTokens('a'.repeat(2_000_000))).toBeGreaterThan(600_000);
  });
});
