import { describe, expect, it } from 'vitest';
import { prefetch } from '../../src/operations/prefetch.js';

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function* numbers(count: number, failAt = -1): AsyncGenerator<number> {
  for (let number = 0; number < count; number++) {
    if (number === failAt) throw new Error(`source ${number}`);
    yield number;
  }
}

describe('prefetch', () => {
  it('yields in order, with as many pending as allowed', async () => {
    let [running, most] = [0, 0];
    const seen: number[] = [];
    const ahead = prefetch(numbers(20), 3, async (number) => {
      most = Math.max(most, ++running);
      await wait(number % 3 === 0 ? 8 : 1);
      running--;
      return number * 10;
    });
    for await (const { item, prepared } of ahead) {
      expect(prepared).toBe(item * 10);
      seen.push(item);
    }
    expect(seen).toEqual([...Array(20).keys()]);
    expect(most).toBe(3);
  });

  it('does not let what is ready wait for a source that is slow', async () => {
    let release = (): void => {};
    async function* slow(): AsyncGenerator<number> {
      yield 1;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      yield 2;
    }
    const ahead = prefetch(slow(), 4, async (number) => number);
    expect(await ahead.next()).toMatchObject({ value: { item: 1 } });
    const second = ahead.next();
    release();
    expect(await second).toMatchObject({ value: { item: 2 } });
    expect(await ahead.next()).toMatchObject({ done: true });
  });

  it('yields all before a failing source, then throws', async () => {
    const seen: number[] = [];
    await expect(async () => {
      for await (const { item } of prefetch(numbers(9, 5), 4, async (n) => n)) seen.push(item);
    }).rejects.toThrow('source 5');
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  it('yields all results before a failure, and waits for pending ones', async () => {
    const [seen, ended]: [number[], number[]] = [[], []];
    await expect(async () => {
      const ahead = prefetch(numbers(9), 4, async (number) => {
        await wait(number === 2 ? 1 : 10);
        if (number === 2) throw new Error('two');
        ended.push(number);
      });
      for await (const { item } of ahead) seen.push(item);
    }).rejects.toThrow('two');
    expect(seen).toEqual([0, 1]);
    expect(ended).toContain(3);
    const endedThen = ended.length;
    await wait(30);
    expect(ended).toHaveLength(endedThen);
  });
});
