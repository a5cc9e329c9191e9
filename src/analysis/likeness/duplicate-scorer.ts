import { normalizedText } from '../normalized-text.js';
import { type ComparedWords, Lexicon, type WordKnowledge } from './compared-words.js';
import { fittedTrees, startingLogOdds } from './fitted-trees.js';
import { pairFeatures } from './pair-features.js';

const [tests, leaves] = [7, 8];
/** Below 1, which only texts with the same words have. */
const highest = 0.999;

interface Trees {
  readonly features: Uint8Array;
  readonly thresholds: Float64Array;
  readonly leaves: Float64Array;
  readonly count: number;
}

let parsed: Trees | undefined;

function trees(): Trees {
  if (parsed !== undefined) return parsed;
  const lines = fittedTrees.trim().split('\n');
  const found: Trees = {
    features: new Uint8Array(lines.length * tests),
    thresholds: new Float64Array(lines.length * tests),
    leaves: new Float64Array(lines.length * leaves),
    count: lines.length,
  };
  for (const [tree, line] of lines.entries()) {
    const words = line.split(' ');
    for (let test = 0; test < tests; test++) {
      const [feature, threshold] = (words[test] as string).split(':');
      found.features[tree * tests + test] = Number(feature);
      found.thresholds[tree * tests + test] = Number(threshold);
    }
    for (let leaf = 0; leaf < leaves; leaf++) found.leaves[tree * leaves + leaf] = Number(words[tests + leaf]) / 1000;
  }
  parsed = found;
  return found;
}

/** The sum of the leaves that the features of a pair reach, as a probability. */
function probabilityOf(features: Float64Array): number {
  const { features: tested, thresholds, leaves: values, count } = trees();
  let logOdds = startingLogOdds;
  for (let tree = 0; tree < count; tree++) {
    let test = 0;
    while (test < tests) {
      const at = tree * tests + test;
      test = 2 * test + ((features[tested[at] as number] as number) <= (thresholds[at] as number) ? 1 : 2);
    }
    logOdds += values[tree * leaves + test - tests] as number;
  }
  return 1 / (1 + Math.exp(-logOdds));
}

/**
 * Estimates the probability that two texts are duplicates: that a reader of one gains nothing by the other. It depends on the words of
 * the two texts only, so it means the same for every model and collection. Trees fitted to labelled pairs (gradient boosting, Friedman
 * 2001) weigh what the words of one text that the other lacks say; see bench/duplicates.
 */
export class DuplicateScorer {
  readonly #lexicon: Lexicon;

  constructor(knowledge: WordKnowledge) {
    this.#lexicon = new Lexicon(knowledge);
  }

  /** The words of a text, to be compared by this scorer. */
  read(text: string): ComparedWords {
    return this.#lexicon.read(text);
  }

  /** From 0 to 0.999, for texts whose words differ; the same in either order. Texts of punctuation alone have no words to share: 0. */
  probability(a: ComparedWords, b: ComparedWords): number {
    if (a.ids.length === 0 || b.ids.length === 0) return 0;
    const features = pairFeatures(this.#lexicon, a, b);
    return features === undefined ? 0 : Math.min(highest, probabilityOf(features));
  }

  /** The same for two texts; 1 where they have the same words. */
  compare(a: string, b: string): number {
    if (a === b || normalizedText(a) === normalizedText(b)) return 1;
    return this.probability(this.read(a), this.read(b));
  }
}
