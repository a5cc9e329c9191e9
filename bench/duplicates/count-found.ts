import {
  type DocumentId,
  type DuplicateOptions,
  type EmbeddingProvider,
  findDuplicates,
  SemanticIndex,
} from 'semantic-index';
import type { LabelledSet } from './labelled-pairs.js';

/** What `findDuplicates` makes of labelled pairs: how many it puts into one group, and how many of these are duplicates. */
export interface FoundPairs {
  readonly found: number;
  readonly right: number;
  readonly duplicates: number;
}

/** Looks for duplicates, once with each of some options, among the labelled texts of a set and others of it, up to a number. */
export async function countFound(
  { pairs, others }: LabelledSet,
  most: number,
  searches: readonly DuplicateOptions[],
  provider?: EmbeddingProvider,
): Promise<{ texts: number; counts: FoundPairs[] }> {
  const texts = new Set(pairs.flatMap(({ first, second }) => [first, second]));
  const step = Math.max(1, others.length / Math.max(1, most - texts.size));
  for (let place = 0; place < others.length; place += step) texts.add(others[Math.floor(place)] as string);
  await using index = await SemanticIndex.open(':memory:', { provider });
  const idOf = new Map([...texts].map((text, id) => [text, id]));
  await index.addDocuments([...idOf].map(([text, id]) => ({ id, text })));
  const counts: FoundPairs[] = [];
  for (const options of searches) {
    const { groups } = await findDuplicates(index, options);
    const groupOf = new Map<DocumentId, DocumentId>();
    for (const { representative, duplicates } of groups) {
      for (const id of [representative, ...duplicates.map((duplicate) => duplicate.id)])
        groupOf.set(id, representative);
    }
    const found = pairs.filter(({ first, second }) => {
      const [one, other] = [groupOf.get(idOf.get(first) as number), groupOf.get(idOf.get(second) as number)];
      return one !== undefined && one === other;
    });
    counts.push({
      found: found.length,
      right: found.filter(({ duplicate }) => duplicate).length,
      duplicates: pairs.filter(({ duplicate }) => duplicate).length,
    });
  }
  return { texts: texts.size, counts };
}
