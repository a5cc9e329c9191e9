import { type DocumentId, type Metadata, SemanticIndex } from '../../../src/index.js';
import type { Random } from '../../../src/random.js';
import { deterministicProvider } from '../../../src/testing.js';

export const provider = deterministicProvider({ dimensions: 8 });
export const words = ['harbour', 'night', 'calm', 'ship', 'rope', 'storm', 'light', 'anchor', 'deck', 'sail'];

export interface StoredText {
  readonly id: DocumentId;
  readonly text: string;
  readonly metadata: Metadata | undefined;
}

export const pick = <T>(random: Random, of: readonly T[]): T => of[random.integer(of.length)] as T;

/** Scalars, lists, objects and what columns do not represent, in fields that the tests read. */
export function randomMetadata(random: Random): Metadata | undefined {
  if (random.integer(12) === 0) return undefined;
  const metadata: Record<string, unknown> = {};
  const source = random.integer(14);
  if (source < 9)
    metadata.source = pick(random, ['a', 'a', 'a', 'a', 'a', 'a', 'b', 'b', 'c', 'd', '\u{1f600}', '\uffee']);
  else if (source < 11) metadata.source = [pick(random, ['a', 'b']), pick(random, ['a', 'b'])];
  else if (source === 11)
    metadata.source = pick(random, [null, 3, true, [], { a: 1 }, [{ a: 1 }, 'a'], 'x'.repeat(2000)]);
  if (random.integer(4) > 0)
    metadata.tags = Array.from({ length: random.integer(4) }, () => pick(random, ['x', 'y', 'z', 1, false]));
  if (random.integer(5) > 0) metadata.price = pick(random, [0, -0, 1, 2.5, 10, 99, 'free', [1, 50]]);
  if (random.integer(5) > 0) {
    const month = 1 + random.integer(12);
    const date = `2026-${String(month).padStart(2, '0')}-1${random.integer(9)}`;
    metadata.when = pick(random, [date, `${date}T10:00:00Z`, `${date}T10:00`, Date.parse(date), 'soon']);
  }
  if (random.integer(3) > 0)
    metadata.author = pick(random, [{ name: 'Ada' }, { name: ['Bo', 'Ada'] }, [{ name: 'Cy' }], 'Di']);
  if (random.integer(6) === 0) metadata['author.name'] = 'Ed';
  return metadata as Metadata;
}

export const randomText = (random: Random): string =>
  Array.from({ length: 1 + random.integer(8) }, () => pick(random, words)).join(' ');

/** An index after random changes, and what it should have. */
export async function randomIndex(
  random: Random,
  directory: string,
  documents: number,
): Promise<{ index: SemanticIndex; stored: Map<DocumentId, StoredText> }> {
  const index = await SemanticIndex.open(directory, { provider, ann: { background: false, trees: 2, threads: 1 } });
  const stored = new Map<DocumentId, StoredText>();
  const steps = 3 + random.integer(4);
  for (let step = 0; step < steps; step++) {
    const some: StoredText[] = [];
    for (let count = random.integer(Math.ceil((2 * documents) / steps)) + 1; count > 0; count--) {
      some.push({ id: `d${random.integer(documents)}`, text: randomText(random), metadata: randomMetadata(random) });
    }
    const fresh = new Map(some.map((one) => [one.id, one]));
    await index.addDocuments(
      [...fresh.values()].map(({ metadata, ...rest }) => ({ ...rest, ...(metadata && { metadata }) })),
    );
    for (const [id, one] of fresh) stored.set(id, one);
    if (directory !== ':memory:' && random.integer(2) === 0) await index.optimize({ full: random.integer(2) === 0 });
    const known = [...stored.keys()];
    const changes = known
      .filter(() => random.integer(8) === 0)
      .map((id) => ({ id, metadata: randomMetadata(random) ?? {} }));
    await index.updateMetadata(changes);
    for (const { id, metadata } of changes) {
      stored.set(id, { ...(stored.get(id) as StoredText), metadata });
    }
    const gone = known.filter(() => random.integer(12) === 0);
    if (gone.length > 0) await index.deleteDocuments(gone);
    for (const id of gone) stored.delete(id);
  }
  return { index, stored };
}

/** The scalars of a field, by the words of the filter contract, for names of one or two steps. */
export function valuesOf(metadata: unknown, name: string): (string | number | boolean)[] {
  const reached: unknown[] = [];
  const own = (value: unknown, key: string): unknown[] =>
    Array.isArray(value)
      ? value.flatMap((one) => (Array.isArray(one) ? [] : own(one, key)))
      : typeof value === 'object' && value !== null && key in value
        ? [(value as Record<string, unknown>)[key]]
        : [];
  reached.push(...own(metadata, name));
  const [first = '', second] = name.split('.');
  if (second !== undefined) for (const inner of own(metadata, first)) reached.push(...own(inner, second));
  const scalars = reached.flatMap((value) => (Array.isArray(value) ? value : [value]));
  const kept = scalars.filter((value) => ['string', 'number', 'boolean'].includes(typeof value));
  return [...new Set(kept)].map((value) => (value === 0 ? 0 : value)) as (string | number | boolean)[];
}
