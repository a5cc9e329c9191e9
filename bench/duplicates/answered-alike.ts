// Writes bench/duplicates/answers.tsv, similar quiz questions with the same or other answers: npx tsx bench/duplicates/answered-alike.ts --help
import { readFileSync, writeFileSync } from 'node:fs';
import { SemanticIndex } from 'semantic-index';
import { benchFlags } from '../flags.js';
import { questionsOf } from './labelled-pairs.js';

const flags = benchFlags(
  `Looks for the nearest questions of each question of DATA/train/opentriviaqa.jsonl that was not labelled by reading, and writes the rows
of the pairs to FILE: all with the same answer, and one of four with different answers. Answers that say little, or answer more than
ten questions, are left out, and so are different answers that may be spellings of one.`,
  {},
  { operands: 'DATA FILE' },
);
const [data = '', file = ''] = flags.operands;
const [neighbors, sameFrom, otherFrom, othersKept, maxUses, atOnce] = [5, 0.6, 0.65, 4, 10, 500];

const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9 ]/g, '')
    .replace(/^(?:the|an?) /, '')
    .trim();
const rows = questionsOf(data, 'opentriviaqa.jsonl').map(({ question, answer }) => ({
  question,
  answer: plain(answer),
}));
type Row = (typeof rows)[number];
const uses = new Map<string, number>();
for (const { answer } of rows) uses.set(answer, (uses.get(answer) ?? 0) + 1);
const labelled = new Set(
  ['pairs.tsv', 'held-out.tsv'].flatMap((name) =>
    readFileSync(new URL(name, import.meta.url), 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [set, ...places] = line.split('\t');
        return set === 'trivia' ? places.slice(0, 2).map((place) => (rows[Number(place)] as Row).question) : [];
      }),
  ),
);
const saysMuch = (answer: string): boolean =>
  answer !== '' && !/^(?:true|false|yes|no)$|of (?:these|the above)/.test(answer);

/** Whether two questions ask the same, by their answers; undefined when these do not show it. */
function asksTheSame({ answer: one }: Row, { answer: other }: Row): boolean | undefined {
  if (one === other)
    return (uses.get(one) as number) <= maxUses && one.length > 2 && !/^\d+$/.test(one) ? true : undefined;
  const words = new Set(one.split(' '));
  const [a, b] = [one.replaceAll(' ', ''), other.replaceAll(' ', '')];
  return a.includes(b) || b.includes(a) || other.split(' ').some((word) => words.has(word)) ? undefined : false;
}

const found = new Map<string, { pair: [number, number]; duplicate: boolean }>();
await using index = await SemanticIndex.open(':memory:');
await index.addDocuments(rows.map(({ question }, id) => ({ id, text: question })));
const asked = rows.flatMap(({ question, answer }, at) => (labelled.has(question) || !saysMuch(answer) ? [] : [at]));
for (let from = 0; from < asked.length; from += atOnce) {
  const some = asked.slice(from, from + atOnce);
  const results = await index.searchMany(
    some.map((id) => ({ id })),
    { mode: 'vector', k: neighbors, exact: true },
  );
  for (const [place, at] of some.entries()) {
    const row = rows[at] as Row;
    for (const { id, score } of results[place]?.hits ?? []) {
      const other = rows[id as number] as Row;
      if (labelled.has(other.question) || !saysMuch(other.answer) || plain(row.question) === plain(other.question))
        continue;
      const duplicate = asksTheSame(row, other);
      if (duplicate === undefined || score < (duplicate ? sameFrom : otherFrom)) continue;
      const pair: [number, number] = [Math.min(at, id as number), Math.max(at, id as number)];
      found.set(pair.join(' '), { pair, duplicate });
    }
  }
}
const sorted = [...found.values()].sort(({ pair: a }, { pair: b }) => a[0] - b[0] || a[1] - b[1]);
const others = new Set(
  sorted.filter(({ duplicate }) => !duplicate).filter((_, place) => place % othersKept === othersKept - 1),
);
const kept = sorted.filter((each) => each.duplicate || others.has(each));
writeFileSync(
  file,
  `first\tsecond\tduplicate\n${kept.map(({ pair, duplicate }) => `${pair.join('\t')}\t${duplicate ? 1 : 0}\n`).join('')}`,
);
