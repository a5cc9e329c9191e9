// Duplicates planted among 100,000 generated texts: exact copies, other case, other punctuation, missing words, paraphrases.
// Prints precision and recall by kind, the time, and whether any member of a group is below the threshold to its representative.
// Run: npx tsx bench/dedupe.ts --help
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adviseThreshold, type DocumentId, findDuplicates, SemanticIndex } from 'semantic-index';
import { benchFlags } from './flags.js';
import { randomNumbers } from './generated-vectors.js';

const flags = benchFlags(
  'Plants duplicates of every kind among generated texts; prints precision and recall by kind, and the time.',
  {
    documents: [100_000, 'texts'],
    threshold: [0.9, 'probability from which texts are duplicates'],
    planted: [2000, 'duplicates of each kind'],
    seed: [1, 'of the random numbers'],
  },
);
const { documents: count, planted, threshold } = flags;
const random = randomNumbers(flags.seed);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

/** Words that say the same, so that a paraphrase can take another one. */
const synonyms = [
  ['large', 'big'],
  ['small', 'little'],
  ['quick', 'fast'],
  ['begin', 'start'],
  ['buy', 'purchase'],
  ['repair', 'fix'],
  ['doctor', 'physician'],
  ['car', 'automobile'],
  ['child', 'kid'],
  ['house', 'home'],
  ['answer', 'reply'],
  ['wrong', 'incorrect'],
  ['help', 'assist'],
  ['show', 'display'],
  ['error', 'mistake'],
];
const words =
  `river mountain engine paper window garden bridge market winter summer doctor teacher captain farmer painter
  forest island harbour village castle hospital library factory station kitchen railway airport museum stadium temple
  copper silver iron glass leather cotton marble timber cement rubber sugar coffee butter pepper honey
  music history science law medicine painting cooking sailing weather energy trade language religion sport travel
  ancient modern broken quiet narrow heavy bright distant careful sudden hidden public private northern southern
  carries builds measures follows crosses repairs sells paints studies guards opens closes describes protects visits
  large small quick begin buy repair doctor car child house answer wrong help show error contract lawyer court budget
  tax election senate army treaty border planet comet telescope molecule protein virus vaccine fever surgery
  software compiler database network keyboard screen battery antenna satellite rocket piston valve turbine
  guitar violin drummer concert opera novel poem verse chapter printer sculptor gallery theatre actor camera
  wheat barley orchard vineyard tractor cattle fishing whale salmon falcon eagle spider beetle clover willow`.split(
    /\s+/,
  );
const links = ['of the', 'in the', 'near the', 'with a', 'for a', 'and the', 'under the', 'without any', 'against the'];

/** A text about a few things: no two of them are meant to say the same. */
function text(): string {
  const size = 9 + Math.floor(random() * 8);
  const parts = Array.from({ length: size }, (_, place) =>
    place % 2 === 0 ? pick(words) : `${pick(links)} ${pick(words)}`,
  );
  const [subject, object] = pick(synonyms.map((pair) => pair[0] as string))
    .concat(' ', pick(words))
    .split(' ');
  return `The ${subject} ${object} ${parts.join(' ')}, ${1000 + Math.floor(random() * 1000)}.`;
}

const kinds = {
  exact: (original: string): string => original,
  case: (original: string): string => original.toUpperCase(),
  punctuation: (original: string): string => `${original.replaceAll(' ', '  ').replace(',', ' -').replace(/\.$/, '!')}`,
  omission: (original: string): string => {
    const list = original.split(' ');
    list.splice(1 + Math.floor(random() * (list.length - 3)), 1);
    return list.join(' ');
  },
  paraphrase: (original: string): string => {
    let changed = original;
    for (const [one, other] of synonyms) changed = changed.replace(new RegExp(`\\b${one}\\b`), other as string);
    return `It is said that ${changed.charAt(0).toLowerCase()}${changed.slice(1)}`;
  },
};
type Kind = keyof typeof kinds;

const documents: { id: number; text: string }[] = [];
const originalOf = new Map<DocumentId, { original: number; kind: Kind }>();
while (documents.length < count - 5 * planted) documents.push({ id: documents.length, text: text() });
for (const kind of Object.keys(kinds) as Kind[]) {
  for (let copy = 0; copy < planted; copy++) {
    const original = Math.floor(random() * (count - 5 * planted));
    const id = documents.length;
    documents.push({ id, text: kinds[kind](documents[original]?.text as string) });
    originalOf.set(id, { original, kind });
  }
}

const folder = mkdtempSync(join(tmpdir(), 'semantic-index-dedupe-'));
try {
  await using index = await SemanticIndex.open(folder, { ann: { background: false } });
  let began = performance.now();
  await index.addDocuments(documents, { batchSize: 4_096 });
  const seconds = (): string => ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${count} texts added in ${seconds()} s`);
  began = performance.now();
  await index.optimize({ full: true });
  console.log(`forest built in ${seconds()} s`);

  began = performance.now();
  const sameFamily = (id: DocumentId): number => originalOf.get(id)?.original ?? (id as number);
  const advice = await adviseThreshold(index, {
    pairsPerBand: 20,
    judge: ({ first, second }) => sameFamily(first.id) === sameFamily(second.id),
  });
  console.log(`\nAdvice from ${advice.sampled} documents in ${seconds()} s: threshold ${advice.threshold}`);
  for (const { from, to, pairs, duplicates } of advice.bands) {
    console.log(
      `  ${from} to ${to}: ${pairs} pairs, ${duplicates === undefined ? '-' : `${Math.round(100 * duplicates)} %`} duplicates`,
    );
  }

  began = performance.now();
  const found = await findDuplicates(index, { threshold });
  console.log(
    `\nfindDuplicates at ${threshold}: ${found.ids.length} duplicates in ${found.groups.length} groups, ${seconds()} s`,
  );
  began = performance.now();
  const higher = found.rethreshold(Math.min(1, threshold + 0.05));
  console.log(`rethreshold to ${higher.threshold}: ${higher.ids.length} duplicates, ${seconds()} s`);

  let [right, below] = [0, 0];
  const metAt = new Map<Kind, number>();
  for (const { representative, duplicates } of found.groups) {
    for (const { id, similarity } of duplicates) {
      if (similarity < threshold) below++;
      if (sameFamily(id) === sameFamily(representative)) right++;
    }
  }
  // A pair is found when both are in one group, whichever of them stands for it.
  const groupOf = new Map<DocumentId, DocumentId>();
  for (const { representative, duplicates } of found.groups) {
    groupOf.set(representative, representative);
    for (const { id } of duplicates) groupOf.set(id, representative);
  }
  for (const [id, { original, kind }] of originalOf) {
    const group = groupOf.get(id);
    if (group !== undefined && group === groupOf.get(original)) metAt.set(kind, (metAt.get(kind) ?? 0) + 1);
  }
  console.log('\n| planted | recall |\n|---|---|');
  for (const kind of Object.keys(kinds) as Kind[]) {
    console.log(`| ${kind} | ${((metAt.get(kind) ?? 0) / planted).toFixed(4)} |`);
  }
  const total = [...metAt.values()].reduce((sum, met) => sum + met, 0);
  console.log(`| all | ${(total / (5 * planted)).toFixed(4)} |`);
  console.log(
    `\nprecision ${(right / Math.max(1, found.ids.length)).toFixed(4)}; members below the threshold to their representative: ${below}`,
  );

  // The similarities that are reported, against the vectors themselves.
  let worst = 0;
  for (const { representative, duplicates } of found.groups.slice(0, 2_000)) {
    const [stands, ...members] = await index.getVectors([representative, ...duplicates.map(({ id }) => id)]);
    members.forEach((vector, place) => {
      const duplicate = duplicates[place];
      if (duplicate?.kind !== 'near') return;
      let dot = 0;
      let [a, b] = [0, 0];
      for (let column = 0; column < (vector as Float32Array).length; column++) {
        const [x, y] = [stands?.[column] ?? 0, vector?.[column] ?? 0];
        dot += x * y;
        a += x * x;
        b += y * y;
      }
      const cosine = dot / Math.sqrt(a * b);
      worst = Math.max(worst, threshold - cosine);
    });
  }
  console.log(`largest shortfall of a recomputed cosine below the threshold: ${Math.max(0, worst).toExponential(1)}`);
  process.exitCode = below === 0 && worst < 1e-5 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
