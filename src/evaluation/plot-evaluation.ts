import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts';
import { SemanticIndexError } from '../errors.js';
import type { EvaluationResult, RankingMeasure } from '../types.js';

const size = { width: 760, height: 420 };
const labels: Readonly<Record<RankingMeasure, string>> = {
  ndcg: 'nDCG',
  recall: 'recall',
  mrr: 'MRR',
  hitRate: 'hit rate',
  precision: 'precision',
  map: 'MAP',
};

/**
 * Plots the measures of an evaluation with their intervals, and with `fit` the measure over the weight, as an SVG document without
 * scripts. Draws with the optional package echarts.
 *
 * @throws MISSING_PEER with the command that installs it.
 * @example
 * await writeFile('quality.svg', await plotEvaluation(await index.evaluate(questions)));
 */
export async function plotEvaluation(result: EvaluationResult): Promise<string> {
  const echarts = await loadEcharts();
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size });
  try {
    chart.setOption({ animation: false, backgroundColor: '#fff', ...optionOf(result) });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

async function loadEcharts(): Promise<typeof import('echarts')> {
  try {
    return await import('echarts');
  } catch (cause) {
    throw new SemanticIndexError('MISSING_PEER', 'Plotting needs the package echarts', {
      hint: 'Run: npm install echarts',
      cause,
    });
  }
}

function optionOf({ variants, fitted, k, measure }: EvaluationResult): object {
  const measures = Object.keys(labels) as RankingMeasure[];
  const bars = variants.flatMap(({ name, measures: means }, place) => [
    { type: 'bar', name, data: measures.map((one) => means[one].mean) },
    {
      type: 'custom',
      name,
      data: measures.map((one, position) => [position, means[one].low, means[one].high]),
      renderItem: intervalOf(place, variants.length),
      z: 3,
    },
  ]);
  const count = variants[0]?.questions.length ?? 0;
  const title = { text: `Quality of the first ${k} hits, ${count} questions`, left: 'center', top: 8 };
  const legend = { top: 36, data: variants.map(({ name }) => name) };
  const categories = { type: 'category', data: measures.map((one) => labels[one]) };
  if (fitted === undefined) {
    return {
      title,
      legend,
      grid: { top: 76, left: 48, right: 24, bottom: 36 },
      xAxis: categories,
      yAxis: share,
      series: bars,
    };
  }
  const curve = {
    type: 'line',
    xAxisIndex: 1,
    yAxisIndex: 1,
    data: fitted.curve.map(({ vectorWeight, mean }) => [vectorWeight, mean]),
    markLine: {
      symbol: 'none',
      data: [{ xAxis: fitted.vectorWeight, name: 'fitted' }],
      label: { formatter: 'fitted' },
    },
  };
  return {
    title,
    legend,
    grid: [
      { top: 76, left: 48, right: '42%', bottom: 48 },
      { top: 76, left: '66%', right: 24, bottom: 48 },
    ],
    xAxis: [
      categories,
      { type: 'value', gridIndex: 1, min: 0, max: 1, name: 'vectorWeight', nameLocation: 'middle', nameGap: 28 },
    ],
    yAxis: [share, { type: 'value', gridIndex: 1, scale: true, name: `${labels[measure]}@${k}` }],
    series: [...bars, curve],
  };
}

const share = { type: 'value', min: 0, max: 1 };

/** A line from the lower to the upper bound, in the middle of a bar among `count`. */
function intervalOf(place: number, count: number) {
  return (_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) => {
    const position = api.value(0);
    const bar = api.barLayout?.({ count })?.[place];
    const offset = bar?.offsetCenter ?? 0;
    const [x = 0, low = 0] = api.coord([position, api.value(1)]);
    const [, high = 0] = api.coord([position, api.value(2)]);
    const style = { stroke: '#222', lineWidth: 1.5 };
    return { type: 'line' as const, shape: { x1: x + offset, y1: low, x2: x + offset, y2: high }, style };
  };
}
