import type { LabelledPair } from './labelled-pairs.js';

const word = /\b[A-Za-z]{5,}\b/g;
const weak = ['simple', 'small', 'new', 'basic'];

/** Pairs whose label follows from how they are made: one edit that changes what a text says, or some that do not. */
export function madePairs(texts: readonly string[], count: number, random: () => number): LabelledPair[] {
  const usable = texts.filter((text) => text.length > 25 && text.length < 160 && /^[\x20-\x7e]+$/.test(text));
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const wordOf = (): string => pick(pick(usable).match(word) ?? ['nothing']);
  const replace = (text: string, at: number, length: number, by: string): string =>
    text.slice(0, at) + by + text.slice(at + length);

  const different: readonly ((text: string) => string | undefined)[] = [
    (text) => (/\bwith\b/.test(text) ? text.replace(/\bwith\b/, 'without') : undefined),
    (text) => {
      const verb = /\b(?:is|are|was|can|does|must|should|will|were)\b/.exec(text);
      if (verb === null || verb.index === 0 || / not /.test(text) || /^wh/i.test(text)) return undefined;
      return replace(text, verb.index + verb[0].length, 0, ' not');
    },
    (text) => {
      const number = /\b\d+\b/.exec(text);
      return number === null
        ? undefined
        : replace(text, number.index, number[0].length, String(Number(number[0]) + pick([1, 2, 3, 5, 10])));
    },
    (text) => {
      const relation = /\b(\w{4,}) (to|from|into|over|before|after|than) (\w{4,})\b/.exec(text);
      if (relation === null) return undefined;
      const [whole, one, between, other] = relation;
      return replace(text, relation.index, whole.length, `${other} ${between} ${one}`);
    },
    (text) => {
      const found = pick([...text.matchAll(word)]);
      const other = wordOf();
      if (found === undefined || other.slice(0, 4).toLowerCase() === found[0].slice(0, 4).toLowerCase())
        return undefined;
      return replace(text, found.index, found[0].length, /^[A-Z]/.test(found[0]) ? other : other.toLowerCase());
    },
  ];
  const same: readonly ((text: string) => string)[] = [
    (text) => text.replace(/\b(?:a|an|the) /, ''),
    (text) => text.replace(/\b(?:a|an) /, 'the '),
    (text) => {
      const found = pick([...text.matchAll(/\b[a-z]{6,}\b/g)]);
      if (found === undefined) return text;
      const at = found.index + 1 + Math.floor(random() * (found[0].length - 3));
      return replace(text, at, 2, `${text[at + 1]}${text[at]}`);
    },
    (text) => text.replace(/\b[aA] (?=[a-z])/, (article) => `${article}${pick(weak)} `),
    (text) => text.replaceAll('-', ' '),
    (text) => text.replace(/^What is /, "What's ").replace(/^Which /, 'What '),
    (text) => text.replace(/\b[a-z]{5,}[^s\W]\b/, (found) => `${found}s`),
  ];
  const pairs: LabelledPair[] = [];
  while (pairs.length < count) {
    const first = pick(usable);
    const second = pick(different)(first);
    if (second !== undefined && second !== first) pairs.push({ first, second, duplicate: false });
  }
  while (pairs.length < 2 * count) {
    const first = pick(usable);
    let second = first;
    for (let edit = pick([1, 1, 2, 3]); edit > 0; edit--) second = pick(same)(second);
    if (second !== first) pairs.push({ first, second, duplicate: true });
  }
  return pairs;
}
