import fc from 'fast-check';

/**
 * Property tests draw the same examples in every run, so that a change is what makes a test fail, and not chance. To look
 * further: SEMANTIC_INDEX_PROPERTY_SEED=random npm test, or the seed that a failure has printed.
 */
const wanted = process.env.SEMANTIC_INDEX_PROPERTY_SEED ?? '1';
if (wanted !== 'random') fc.configureGlobal({ seed: Number(wanted) });
