import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { countTokens } from 'gpt-tokenizer/encoding/cl100k_base';
import { describe, expect, it } from 'vitest';
import { loadTokenCounter, tokenCounterOf } from '../../../src/embed/openai/token-counter.js';

const counter = await loadTokenCounter();
const exact = (text: string): number => countTokens(text, { disallowedSpecial: new Set() });
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'the ',
        'cat',
        '\n\n',
        '今天',
        '🎉',
        '  ',
        '3.14',
        '<|endoftext|>',
        'é',
        '\ud800',
        'x'.repeat(250),
        '-'.repeat(300),
      ),
      fc.string({ unit: 'binary', maxLength: 20 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

describe('token counter', () => {
  it('counts as the encoding does', () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
    expect(counter.count(readme)).toBe(exact(readme));
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 180 }), (text) => {
        expect(counter.count(text)).toBe(exact(text));
      }),
    );
    expect(counter.count('')).toBe(0);
    expect(counter.count('<|endoftext|>')).toBeGreaterThan(1);
  });

  it('never counts less, and hardly more, where long runs are counted in parts', () => {
    for (const run of ['a', '天', 'zqxj', '-', '=*', ' ', '\n', 'é', '🎉']) {
      const text = `before ${run.repeat(600 / run.length)} after`;
      const [fast, true_] = [counter.count(text), exact(text)];
      expect(fast).toBeGreaterThanOrEqual(true_);
      expect(fast).toBeLessThanOrEqual(true_ * 1.2 + 25);
    }
  });

  it('takes time that grows with the length, whatever the text', () => {
    const before = process.cpuUsage();
    for (const run of ['a', '今天天气很好我们去公园', ' ', '-', 'zqxj'])
      counter.count(run.repeat(100_000 / run.length));
    // Seconds on the processor, which a busy machine does not add to.
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(10);
  });

  it('truncates to the limit, on a character boundary, with little waste', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 4, max: 60 }), (text, limit) => {
        const part = counter.truncate(text, limit);
        expect(text.startsWith(part)).toBe(true);
        expect(counter.count(part)).toBeLessThanOrEqual(limit);
        expect(part.isWellFormed() || !text.isWellFormed()).toBe(true);
        if (part.length < text.length) expect(counter.count(part)).toBeGreaterThan(limit - 12);
        else expect(part).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('splits without losing anything except white space', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 6, max: 60 }), (text, limit) => {
        const parts = counter.split(text, limit);
        expect(parts.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
        for (const part of parts) {
          expect(counter.count(part)).toBeLessThanOrEqual(limit);
          expect(part).toMatch(/\S/);
        }
      }),
      { numRuns: 200 },
    );
    expect(tokenCounterOf((text) => text.length).split('one two three four', 9)).toEqual([
      'one two ',
      'three ',
      'four',
    ]);
  });
});
