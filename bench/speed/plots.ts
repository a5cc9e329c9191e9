import { loadPeer } from './engine.js';
import type { TrialResult } from './run-trial.js';

interface Vega {
  View: new (spec: unknown, options: object) => { toSVG(): Promise<string>; finalize(): void };
  parse(spec: unknown): unknown;
}

/** What is drawn: trials of one set. */
export type Results = Readonly<Record<string, TrialResult>>;

async function draw(values: readonly object[], mark: object, encoding: object, title: string): Promise<string> {
  const { compile } = await loadPeer<{ compile(spec: object): { spec: unknown } }>('vega-lite');
  const vega = await loadPeer<Vega>('vega');
  const { spec } = compile({ width: 640, height: 380, background: 'white', title, data: { values }, mark, encoding });
  const view = new vega.View(vega.parse(spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

/** Recall against queries per second, a line for each engine. */
export function drawRecall(set: string, results: Results): Promise<string> {
  const values = Object.entries(results).flatMap(([engine, { points }]) =>
    points.map(({ recall, mean }) => ({ engine, recall, perSecond: 1e6 / mean })),
  );
  const encoding = {
    x: { field: 'recall', type: 'quantitative', scale: { domain: [0.7, 1], clamp: true }, title: 'recall@10' },
    y: { field: 'perSecond', type: 'quantitative', scale: { type: 'log' }, title: 'queries per second, one thread' },
    color: { field: 'engine', type: 'nominal' },
  };
  return draw(values, { type: 'line', point: true }, encoding, `${set}: recall and speed`);
}

/** Bars of one figure of each engine. */
export function drawBars(title: string, axis: string, values: Readonly<Record<string, number>>): Promise<string> {
  const rows = Object.entries(values).map(([engine, value]) => ({ engine, value }));
  const encoding = {
    x: { field: 'value', type: 'quantitative', title: axis },
    y: { field: 'engine', type: 'nominal', sort: 'x', title: null },
  };
  return draw(rows, { type: 'bar' }, encoding, title);
}
