import type { Mode } from './engine.js';
import type { AskFigures, BuildFigures, ColdFigures } from './run-engine.js';

/** What one engine came to. */
export interface EngineResult {
  readonly library: string;
  readonly modes: readonly Mode[];
  readonly fusion?: string | undefined;
  readonly persistent: boolean;
  readonly built?: BuildFigures | undefined;
  readonly asked?: AskFigures;
  /** Of processes that asked by one mode; undefined for an engine that cannot be opened again. */
  readonly cold?: Partial<Record<Mode, ColdFigures>>;
  /** Of a process that opened it with documents that were added after it was built. */
  readonly grown?: ColdFigures;
}

const modes: readonly Mode[] = ['text', 'vector', 'hybrid'];

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}

function ms(value: number): string {
  return value < 10 ? value.toFixed(3) : value < 100 ? value.toFixed(1) : value.toFixed(0);
}

/** The tables of a report, as Markdown. */
export function describeResults(results: Readonly<Record<string, EngineResult>>, documents: number): string[] {
  const entries = Object.values(results);
  const lines: string[] = [];
  for (const mode of modes) {
    const rows = entries.flatMap(({ library, fusion, asked }) => {
      const figures = asked?.byMode[mode];
      if (figures === undefined) return [];
      const { p50, p99, cpu, ndcg, recall, asked: count } = figures;
      const name = mode === 'hybrid' && fusion !== undefined ? `${library} (${fusion})` : library;
      return [[name, ms(p50), ms(p99), ms(cpu), ndcg.toFixed(3), recall.toFixed(3), String(count)]];
    });
    if (rows.length === 0) continue;
    lines.push(
      `## By ${mode}`,
      '',
      ...table(['engine', 'p50 ms', 'p99 ms', 'CPU ms', 'nDCG@10', 'recall@10', 'questions'], rows),
    );
  }
  const cold = entries.flatMap(({ library, cold = {} }) =>
    Object.entries(cold).map(([mode, { firstMilliseconds, hundred, p50, p99 }]) => {
      return [library, mode, ms(firstMilliseconds), ms(hundred), ms(p50), ms(p99)];
    }),
  );
  lines.push(
    '## The first searches of a process',
    '',
    'Nothing was asked before in these processes, one for each mode.',
    '',
    ...table(['engine', 'mode', 'first ms', 'p50 ms of 100', 'p50 ms of all', 'p99 ms of all'], cold),
  );
  const shares = Object.keys(entries.find(({ asked }) => asked !== undefined)?.asked?.filtered ?? {});
  lines.push(
    '## Behind a filter, and many at once',
    '',
    'Hybrid where there is one, else text. Milliseconds p50 / p99.',
    '',
  );
  lines.push(
    ...table(
      ['engine', ...shares.map((share) => `${Number(share) * 100} % of the documents`), 'searches/s, 16 at once'],
      entries.flatMap(({ library, asked }) => {
        if (asked === undefined) return [];
        const cells = shares.map((share) => {
          const figures = asked.filtered[share];
          return figures === undefined ? '' : `${ms(figures.p50)} / ${ms(figures.p99)}`;
        });
        return [[library, ...cells, asked.concurrent.toFixed(0)]];
      }),
    ),
  );
  const mega = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  lines.push(
    '## Adding, disk, memory, opening',
    '',
    ...table(
      [
        'engine',
        'documents/s until searchable',
        'then seconds to build',
        'disk bytes/document',
        'peak MB while adding',
        'MB after all searches',
        'open ms',
        'first search ms',
        'the same with documents added since',
      ],
      entries.flatMap(({ library, persistent, built, asked, cold = {}, grown }) => {
        if (built === undefined || asked === undefined) return [];
        const { addSeconds, buildSeconds, bytes, peakBytes } = built;
        const { firstMilliseconds, residentBytes } = asked;
        const opened = [asked, ...Object.values(cold)].map(({ openMilliseconds }) => openMilliseconds);
        return [
          [
            library,
            (documents / addSeconds).toFixed(0),
            buildSeconds.toFixed(1),
            persistent ? (bytes / documents).toFixed(0) : 'in memory',
            mega(peakBytes),
            mega(residentBytes),
            persistent
              ? opened
                  .sort((a, b) => a - b)
                  .map(ms)
                  .join(' ')
              : '',
            ms(firstMilliseconds),
            grown === undefined ? '' : `${ms(grown.openMilliseconds)} + ${ms(grown.firstMilliseconds)}`,
          ],
        ];
      }),
    ),
  );
  return lines;
}
