const syllables = 'ka lo mi ne ru ta so vi pe ga du hi zo ra le na'.split(' ');

/** Makes texts of so many words that mean nothing, out of 20,000: frequent words are much more frequent than rare ones. */
export function generatedTexts(random: () => number, words: number): () => string {
  const pick = (list: readonly string[], place: number): string => list[Math.floor(list.length * place)] as string;
  const vocabulary = Array.from({ length: 20_000 }, () =>
    Array.from({ length: 2 + Math.floor(random() * 3) }, () => pick(syllables, random())).join(''),
  );
  return () => Array.from({ length: words }, () => pick(vocabulary, random() ** 3)).join(' ');
}
