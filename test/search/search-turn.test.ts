import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { beginRead, endRead, onOtherThread, SearchTurn } from '../../src/search/search-turn.js';

let reads = 0;

function begin(count: number): void {
  for (let one = 0; one < count; one++) beginRead();
  reads += count;
}

afterEach(async () => {
  for (; reads > 0; reads--) endRead();
  await setImmediate();
});

/** A turn of searches that took so long. */
function turnOf(milliseconds: number): SearchTurn {
  const turn = new SearchTurn();
  turn.add(milliseconds);
  return turn;
}

describe('SearchTurn', () => {
  it('lets a short search run in this thread, and none that was never timed or takes long', () => {
    begin(1);
    expect(turnOf(0.01).fits()).toBe(true);
    expect(new SearchTurn().fits()).toBe(false);
    expect(turnOf(2).fits()).toBe(false);
  });

  it('makes a search that is alone wait for the next turn of the event loop once a millisecond is over', async () => {
    begin(1);
    const turn = turnOf(0.9);
    expect(turn.fits()).toBe(true);
    for (const began = performance.now(); performance.now() - began < 0.5; );
    expect(turn.fits()).toBe(false);
    await turn.next();
    expect(turn.fits()).toBe(true);
  });

  it('hands searches over as long as another one needs this thread', async () => {
    begin(3);
    const turn = turnOf(0.01);
    expect(turn.fits()).toBe(false);
    expect(turn.next()).toBeUndefined();
    let finish = (): void => {};
    const searched = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const first = onOtherThread(searched);
    expect(turn.fits()).toBe(false);
    const second = onOtherThread(searched);
    expect(turn.fits()).toBe(true);
    finish();
    await Promise.all([first, second]);
    expect(turn.fits()).toBe(false);
  });
});
