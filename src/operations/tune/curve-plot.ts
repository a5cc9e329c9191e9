import type { Tuning, TuningPoint } from '../../types.js';

const [width, height] = [640, 400];
const area = { left: 64, right: 612, top: 48, bottom: 344 };

/** Recall is drawn by what is missed, on a logarithmic axis: the steps from 0.9 to 0.99 and on to 0.999 are equal. */
const maxMissed = 0.5;
const minMissed = 0.001;

/**
 * The recall / latency curve as a complete SVG document, without scripts and fonts: the settings that were tried, their
 * intervals, the target, and what was chosen. A browser shows it, and so does a README.
 */
export function plotCurve(curve: readonly TuningPoint[], tuning: Tuning): string {
  const times = curve.map(({ milliseconds }) => Math.max(milliseconds, 1e-3));
  const [from, to] = [decade(Math.min(...times), Math.floor), decade(Math.max(...times), Math.ceil)];
  const x = (milliseconds: number): number =>
    place(Math.log(Math.max(milliseconds, 1e-3) / from) / Math.log(Math.max(to / from, 10)), area.left, area.right);
  const y = (recall: number): number => {
    const missed = Math.max(minMissed, Math.min(maxMissed, 1 - recall));
    return place(Math.log(maxMissed / missed) / Math.log(maxMissed / minMissed), area.bottom, area.top);
  };
  const forest = curve.filter(({ exact }) => !exact);
  const target = y(tuning.targetRecall);
  const parts = [
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(area.left, 24, `Recall@${tuning.k} and time of a search`, 'font-size="15" font-weight="bold"'),
    ...ticks(from, to).map(
      (tick) => line(x(tick), area.top, x(tick), area.bottom) + text(x(tick), area.bottom + 18, label(tick), middle),
    ),
    ...[0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999].map(
      (tick) => line(area.left, y(tick), area.right, y(tick)) + text(area.left - 8, y(tick) + 4, String(tick), end),
    ),
    text((area.left + area.right) / 2, height - 16, 'milliseconds, median of single searches', middle),
    `<line x1="${area.left}" y1="${target}" x2="${area.right}" y2="${target}" stroke="#b00" stroke-dasharray="6 4"/>`,
    text(area.right, target - 6, `target ${tuning.targetRecall}`, `${end} fill="#b00"`),
    ...forest.map(
      (point) =>
        `<line x1="${round(x(point.milliseconds))}" y1="${round(y(point.low))}" x2="${round(x(point.milliseconds))}" ` +
        `y2="${round(y(point.high))}" stroke="#36c" stroke-opacity="0.5" stroke-width="3"/>`,
    ),
    forest.length < 2
      ? ''
      : `<polyline fill="none" stroke="#36c" stroke-width="2" points="${forest
          .map((point) => `${round(x(point.milliseconds))},${round(y(point.recall))}`)
          .join(' ')}"/>`,
    ...curve.map((point) => mark(point, tuning, x(point.milliseconds), y(point.recall))),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    `font-family="sans-serif" font-size="12" role="img"><title>Recall and latency</title>${parts.join('')}</svg>\n`
  );
}

const middle = 'text-anchor="middle"';
const end = 'text-anchor="end"';

function mark(point: TuningPoint, tuning: Tuning, x: number, y: number): string {
  const chosen = point.exact ? tuning.exact : !tuning.exact && point.searchK === tuning.searchK;
  const name = point.exact ? 'exact' : `searchK ${point.searchK}`;
  const figures = `${name}: recall ${point.recall.toFixed(4)}, ${point.milliseconds.toFixed(3)} ms`;
  const circle = `<circle cx="${round(x)}" cy="${round(y)}" r="${chosen ? 6 : 3.5}" fill="${chosen ? '#b00' : '#36c'}"><title>${figures}</title></circle>`;
  const left = x > (area.left + area.right) / 2;
  return chosen || point.exact
    ? circle + text(x + (left ? -9 : 9), y + 16, name, left ? end : 'text-anchor="start"')
    : circle;
}

function place(share: number, from: number, to: number): number {
  return round(from + Math.max(0, Math.min(1, share)) * (to - from));
}

function decade(value: number, rounding: (exponent: number) => number): number {
  return 10 ** rounding(Math.log10(value));
}

/** 1, 2 and 5 of each decade. */
function ticks(from: number, to: number): number[] {
  const found: number[] = [];
  for (let power = from; power <= Math.max(to, from * 10) * 1.001; power *= 10) {
    for (const step of [1, 2, 5]) if (power * step <= Math.max(to, from * 10) * 1.001) found.push(power * step);
  }
  return found;
}

function label(value: number): string {
  return String(Number(value.toPrecision(2)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#ddd"/>`;
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${content}</text>`;
}
