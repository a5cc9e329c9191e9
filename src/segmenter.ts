const made = new Map<string, Intl.Segmenter>();

/** The segmenter of Unicode UAX #29. Made at its first use: loading its rules takes ten times as long as any other module. */
export function segmenterOf(granularity: 'grapheme' | 'word' | 'sentence'): Intl.Segmenter {
  let segmenter = made.get(granularity);
  if (segmenter === undefined) {
    segmenter = new Intl.Segmenter('en', { granularity });
    made.set(granularity, segmenter);
  }
  return segmenter;
}
