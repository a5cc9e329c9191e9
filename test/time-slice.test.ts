import { expect, it } from 'vitest';
import { TimeSlice } from '../src/time-slice.js';

function spin(milliseconds: number): void {
  const began = performance.now();
  while (performance.now() - began < milliseconds);
}

it('runs one slice in each turn of the event loop, in the order of arrival', async () => {
  const order: number[] = [];
  const work = async (name: number) => {
    const slice = new TimeSlice();
    for (let step = 0; step < 3; step++) {
      spin(1.5);
      expect(slice.due()).toBe(true);
      await slice.yieldIfDue();
      order.push(name);
    }
  };
  let between = 0;
  let isOver = false;
  const turn = () => {
    between++;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await Promise.all(Array.from({ length: 10 }, (_, name) => work(name)));
  isOver = true;
  expect(order).toEqual([0, 1, 2].flatMap(() => Array.from({ length: 10 }, (_, name) => name)));
  expect(between).toBeGreaterThanOrEqual(30);
});

it('throws the reason of its signal', async () => {
  await expect(new TimeSlice().yieldIfDue(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
});
