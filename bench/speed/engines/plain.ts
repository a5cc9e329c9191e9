import type { BuildInput, Built, Engine } from '../engine.js';

/** What one writes without a library: a loop over all rows, and the best k kept in order. */
async function build({ vectors, count, dimensions }: BuildInput): Promise<Built<Float32Array>> {
  return {
    prepare: (query) => query,
    search(query, k) {
      const items = new Int32Array(k).fill(-1);
      const scores = new Float64Array(k).fill(Number.NEGATIVE_INFINITY);
      for (let item = 0, at = 0; item < count; item++) {
        let score = 0;
        for (let column = 0; column < dimensions; column++) {
          score += (vectors[at++] as number) * (query[column] as number);
        }
        if (score <= (scores[k - 1] as number)) continue;
        let place = k - 1;
        for (; place > 0 && (scores[place - 1] as number) < score; place--) {
          scores[place] = scores[place - 1] as number;
          items[place] = items[place - 1] as number;
        }
        scores[place] = score;
        items[place] = item;
      }
      return items;
    },
    bytes: {},
    close() {},
  };
}

export const engine: Engine = { build: build as Engine['build'], library: 'a loop in JavaScript' };
