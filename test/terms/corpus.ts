/** A document as terms with frequencies. */
export type TestDocument = ReadonlyMap<string, number>;

/** Documents whose words follow Zipf's law, the same for the same seed. */
export function randomCorpus(documents: number, words: number, seed: number): TestDocument[] {
  let state = seed >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: documents }, () => {
    const terms = new Map<string, number>();
    const length = Math.floor(random() * 30);
    for (let word = 0; word < length; word++) {
      const term = `w${Math.min(words - 1, Math.floor(Math.exp(random() * Math.log(words + 1)) - 1))}`;
      terms.set(term, (terms.get(term) ?? 0) + 1);
    }
    return terms;
  });
}

export function lengthOf(document: TestDocument): number {
  let length = 0;
  for (const frequency of document.values()) length += frequency;
  return length;
}

/** Packs documents as native/kernel/terms/FORMAT.md describes. `keys` are less the first key of the batch. */
export function packDocuments(documents: readonly TestDocument[], keys = documents.map((_, key) => key)): Uint8Array {
  const bytes: number[] = [1];
  const number = (value: number): void => {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
    bytes.push(rest);
  };
  const terms = [...new Set(documents.flatMap((document) => [...document.keys()]))]
    .map((term) => Buffer.from(term))
    .sort(Buffer.compare);
  const numbers = new Map(terms.map((term, place) => [term.toString(), place]));
  number(documents.length);
  number(terms.length);
  for (const term of terms) {
    number(term.length);
    bytes.push(...term);
  }
  let before = 0;
  documents.forEach((document, position) => {
    const key = keys[position] as number;
    number(key - before);
    before = key;
    number(lengthOf(document));
    number(document.size);
    let last = 0;
    const pairs = [...document].map(([term, frequency]) => [numbers.get(term) as number, frequency] as const);
    for (const [place, frequency] of pairs.sort((a, b) => a[0] - b[0])) {
      number(place - last);
      last = place;
      number(frequency);
    }
  });
  return Uint8Array.from(bytes);
}

/** BM25 of every document, by the textbook: `k1` 1.2, `b` 0.75, Lucene's IDF; 0 where no term matches. */
export function scoreAll(documents: readonly TestDocument[], query: ReadonlyMap<string, number>): number[] {
  const count = documents.length;
  const average = documents.reduce((sum, document) => sum + lengthOf(document), 0) / Math.max(1, count);
  const scores = new Array<number>(count).fill(0);
  for (const [term, times] of query) {
    const having = documents.filter((document) => document.has(term)).length;
    const weight = times * Math.log(1 + (count - having + 0.5) / (having + 0.5));
    documents.forEach((document, position) => {
      const frequency = document.get(term);
      if (frequency === undefined) return;
      const norm = 1.2 * (0.25 + (0.75 * lengthOf(document)) / average);
      scores[position] = (scores[position] as number) + (weight * frequency) / (frequency + norm);
    });
  }
  return scores;
}
