// One trial in a process of its own: builds, asks, and prints one line of JSON.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quantile } from '../quantile.js';
import type { Engine } from './engine.js';
import { depth, loadSet } from './sets.js';
import type { Trial } from './trials.js';

/** What one value of the knob came to. */
export interface Point {
  readonly effort: number;
  readonly recall: number;
  /** Microseconds a query: the median of the runs' means. */
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
}

/** What a trial came to. */
export interface TrialResult {
  readonly library: string;
  readonly rows: number;
  readonly queries: number;
  readonly buildSeconds: number;
  readonly bytes: Readonly<Record<string, number>>;
  /** Most bytes resident at any time, and those of the set that was handed over. */
  readonly peakBytes: number;
  readonly setBytes: number;
  readonly points: readonly Point[];
}

const runs = 3;
/** Seconds after which no further run of a value is begun. */
const patience = 20;

/** The true neighbours among fewer rows than the set has. */
function truthAmong(vectors: Float32Array, queries: Float32Array, dimensions: number, asked: number): Int32Array {
  const truth = new Int32Array(asked * depth);
  const scores = new Float32Array(vectors.length / dimensions);
  for (let row = 0; row < asked; row++) {
    const query = queries.subarray(row * dimensions, (row + 1) * dimensions);
    for (let item = 0, at = 0; item < scores.length; item++) {
      let score = 0;
      for (let column = 0; column < dimensions; column++) {
        score += (vectors[at++] as number) * (query[column] as number);
      }
      scores[item] = score;
    }
    const order = Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number));
    truth.set(order.slice(0, depth), row * depth);
  }
  return truth;
}

async function run(trial: Trial, setFolder: string, threads: number): Promise<TrialResult> {
  const set = loadSet(setFolder);
  const { dimensions } = set;
  const count = Math.min(set.vectors.length / dimensions, trial.rows ?? Number.POSITIVE_INFINITY);
  const vectors = set.vectors.subarray(0, count * dimensions);
  const asked = Math.min(set.queries.length / dimensions, trial.queries ?? Number.POSITIVE_INFINITY);
  const truth =
    count * dimensions === set.vectors.length ? set.truth : truthAmong(vectors, set.queries, dimensions, asked);
  const { engine } = (await import(`./engines/${trial.engine}.js`)) as { engine: Engine };
  const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'semantic-index-bench-'));
  try {
    const began = performance.now();
    const built = await engine.build({ vectors, count, dimensions, threads, folder, settings: trial.settings });
    const buildSeconds = (performance.now() - began) / 1e3;
    const queries = Array.from({ length: asked }, (_, row) =>
      built.prepare(set.queries.slice(row * dimensions, (row + 1) * dimensions)),
    );
    const points: Point[] = [];
    for (const effort of trial.efforts) {
      await built.turn?.(effort);
      for (const query of queries.slice(0, 100)) await built.search(query, depth, effort);
      let found = 0;
      const means: number[] = [];
      const times = new Float64Array(asked);
      const start = performance.now();
      for (let round = 0; round < runs && (performance.now() - start) / 1e3 < patience; round++) {
        let sum = 0;
        found = 0;
        for (let row = 0; row < asked; row++) {
          const asking = performance.now();
          const answer = built.search(queries[row], depth, effort);
          // Waiting for what is there already would cost an engine without promises a turn of the loop.
          const items = answer instanceof Promise ? await answer : (answer as ArrayLike<number>);
          const took = (performance.now() - asking) * 1e3;
          sum += took;
          times[row] = took;
          const nearest = truth.subarray(row * depth, (row + 1) * depth);
          for (let place = 0; place < items.length; place++) if (nearest.includes(items[place] as number)) found++;
        }
        means.push(sum / asked);
      }
      means.sort((a, b) => a - b);
      points.push({
        effort,
        recall: found / (asked * depth),
        mean: means[Math.floor(means.length / 2)] as number,
        p50: quantile(times, 0.5),
        p99: quantile(times, 0.99),
      });
      // Beyond this there is nothing to find any more.
      if (found / (asked * depth) > 0.9995) break;
    }
    await built.close();
    return {
      library: engine.library,
      rows: count,
      queries: asked,
      buildSeconds,
      bytes: built.bytes,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      setBytes: set.vectors.byteLength,
      points,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [trial, setFolder, threads] = process.argv.slice(2) as [string, string, string];
process.stdout.write(`${JSON.stringify(await run(JSON.parse(trial) as Trial, setFolder, Number(threads)))}\n`);
