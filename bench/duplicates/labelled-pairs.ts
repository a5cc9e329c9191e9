import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';

// The rule of the labels: two texts are duplicates when a reader of one gains nothing by the other. Word order,
// spelling, synonyms, and details that the other text implies do not matter. Another part of a product (development files,
// documentation), another version, number, name, language, relation or direction does. Pairs in doubt were left out.

/** A pair of texts with its label. */
export interface LabelledPair {
  readonly first: string;
  readonly second: string;
  readonly duplicate: boolean;
}

/** Pairs of one source, and further texts of it to look among. */
export interface LabelledSet {
  readonly name: string;
  readonly pairs: readonly LabelledPair[];
  readonly others: readonly string[];
}

function linesOf(path: string | URL): string[] {
  return readFileSync(path, 'utf8').split('\n').filter(Boolean);
}

/** Rows of a table with a header. */
function rowsOf(name: string): string[][] {
  return linesOf(new URL(name, import.meta.url))
    .slice(1)
    .map((line) => line.split('\t'));
}

/** A question and its answer. */
export interface Answered {
  readonly question: string;
  readonly answer: string;
}

/** The questions of a set of DATA/train. */
export function questionsOf(data: string, file: string): Answered[] {
  return linesOf(join(data, 'train', file)).map((line) => JSON.parse(line) as Answered);
}

/** A table without header: registry (npm or pypi), name and summary of a package. */
function summariesOf(file: string): Map<string, string> {
  return new Map(
    linesOf(file).map((line) => {
      const [registry = '', name = '', summary = ''] = line.split('\t');
      return [`${registry} ${name}`, summary.trim()];
    }),
  );
}

function packagesOf(file: string): Map<string, string> {
  const summaries = new Map<string, string>();
  let name = '';
  for (const line of linesOf(file)) {
    if (line.startsWith('Package: ')) name = line.slice(9);
    const summary = /^Description(?:-en)?: (.*)$/.exec(line)?.[1];
    if (summary !== undefined && !summaries.has(name)) summaries.set(name, summary);
  }
  return summaries;
}

/** Pairs of STS Benchmark dev: nearly equivalent by its judges, or clearly not; those between are left out. */
export function similarSentences(data: string): LabelledPair[] {
  const rows: string[][] = parse(readFileSync(join(data, 'eval/stsb/sts-dev.csv')), {
    delimiter: '\t',
    quote: null,
    relax_column_count: true,
  });
  return rows.flatMap((row) => {
    const score = Number(row[4]);
    if (score < 4.6 && score > 3.6) return [];
    return [{ first: row[5] as string, second: row[6] as string, duplicate: score >= 4.6 }];
  });
}

/**
 * The sets labelled by reading: titles of products and questions to support (written for this), questions of DATA/train and, with files
 * of their summaries, packages of npm and PyPI, and of Debian (`apt-cache dumpavail`).
 */
export function* labelledSets(
  data: string,
  packages: string | undefined,
  registries: string | undefined,
): Generator<LabelledSet> {
  for (const name of ['titles', 'support']) {
    const pairs = rowsOf(`${name}.tsv`).map(([first = '', second = '', label]) => ({
      first,
      second,
      duplicate: label === '1',
    }));
    yield { name, pairs, others: [] };
  }
  if (registries !== undefined) {
    const summaries = summariesOf(registries);
    const pairs = rowsOf('summaries.tsv').flatMap(([registry, one, other, label]) => {
      const [first, second] = [summaries.get(`${registry} ${one}`), summaries.get(`${registry} ${other}`)];
      return first === undefined || second === undefined ? [] : [{ first, second, duplicate: label === '1' }];
    });
    yield { name: 'summaries', pairs, others: [] };
  }
  const labelled = rowsOf('pairs.tsv');
  const sources: [string, () => Map<string, string>][] = [
    ['medical', () => numbered(questionsOf(data, 'medquad.jsonl'))],
    ['trivia', () => numbered(questionsOf(data, 'opentriviaqa.jsonl'))],
    ...(packages === undefined
      ? []
      : [['packages', () => packagesOf(packages)] as [string, () => Map<string, string>]]),
  ];
  for (const [name, read] of sources) {
    const all = read();
    const pairs = labelled
      .filter(([set]) => set === name)
      .flatMap(([, one = '', other = '', label]) => {
        const [first, second] = [all.get(one), all.get(other)];
        return first === undefined || second === undefined ? [] : [{ first, second, duplicate: label === '1' }];
      });
    yield { name, pairs, others: [...all.values()] };
  }
}

function numbered(rows: readonly Answered[]): Map<string, string> {
  return new Map(rows.map(({ question }, row) => [String(row), question]));
}
