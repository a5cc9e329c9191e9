import type { Results } from './plots.js';
import type { Point, TrialResult } from './run-trial.js';
import type { Trial } from './trials.js';

/** Recall that an engine has to reach to be compared. */
export const wantedRecall = 0.95;

/** The fastest point of at least some recall. */
export function fastest({ points }: TrialResult, recall: number): Point | undefined {
  return points.filter((point) => point.recall >= recall).sort((a, b) => a.mean - b.mean)[0];
}

const micros = (value: number): string =>
  value < 1_000 ? value.toFixed(0) : value.toLocaleString('en-US', { maximumFractionDigits: 0 });
const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

/**
 * Ours against each peer: at the peer's fastest point of enough recall, or its best where it has none, and at our fastest of at
 * least that recall, whichever of our trials it is of.
 */
function ratios(results: Results, ours: string): string[] {
  const own = Object.entries(results).filter(([, { library }]) => library === ours);
  const most = Math.max(...Object.values(results).map(({ rows }) => rows));
  const lines = [
    '| peer | its recall | its µs | ours | our recall | our µs | times faster |',
    '|---|---|---|---|---|---|---|',
  ];
  for (const [name, result] of Object.entries(results)) {
    if (result.library === ours) continue;
    const best = Math.max(...result.points.map(({ recall }) => recall));
    const theirs = fastest(result, Math.min(wantedRecall, best)) as Point;
    // A hundred queries do not tell a perfect recall from one of 0.9995.
    const recall = Math.max(wantedRecall, Math.min(theirs.recall, 0.9995));
    const mine = own
      .flatMap(([trial, { points }]) => points.map((point) => ({ trial, ...point })))
      .filter((point) => point.recall >= recall)
      .sort((a, b) => a.mean - b.mean)[0];
    const fewer = result.rows < most ? ` (${result.rows.toLocaleString('en-US')} rows)` : '';
    const about = `| ${name}${fewer} | ${theirs.recall.toFixed(4)}${best < wantedRecall ? ' at most' : ''} | ${micros(theirs.mean)} |`;
    lines.push(
      mine === undefined
        ? `${about} | | | our recall is lower |`
        : `${about} ${mine.trial} | ${mine.recall.toFixed(4)} | ${micros(mine.mean)} | ${(theirs.mean / mine.mean).toFixed(1)} |`,
    );
  }
  return lines;
}

/** The part of the report about one set. */
export function describeSet(set: string, results: Results, trials: readonly Trial[], ours: string): string {
  const built = Object.entries(results).map(([name, { library, rows, buildSeconds, bytes, peakBytes, setBytes }]) => {
    const parts = Object.entries(bytes).map(([part, size]) => `${part} ${mega(size)}`);
    return `| ${name} | ${library} | ${rows.toLocaleString('en-US')} | ${buildSeconds.toFixed(1)} | ${parts.join(', ')} | ${mega(peakBytes - setBytes)} |`;
  });
  const searched = Object.entries(results).flatMap(([name, { points }]) => {
    const knob = trials.find((trial) => trial.name === name)?.knob ?? '';
    return points.map(
      ({ effort, recall, mean, p50, p99 }) =>
        `| ${name} | ${knob === 'none' ? '' : `${knob} ${effort}`} | ${recall.toFixed(4)} | ${micros(mean)} | ${micros(p50)} | ${micros(p99)} | ${micros(1e6 / mean)} |`,
    );
  });
  return [
    `## ${set}`,
    '',
    `![recall and speed](${set}-recall.svg) ![build](${set}-build.svg) ![size](${set}-size.svg)`,
    '',
    ...ratios(results, ours),
    '',
    '| engine | library | rows | build, s | on disk | peak memory beyond the rows handed over |',
    '|---|---|---|---|---|---|',
    ...built,
    '',
    '| engine | knob | recall@10 | µs, mean | p50 | p99 | queries/s |',
    '|---|---|---|---|---|---|---|',
    ...searched,
    '',
  ].join('\n');
}
