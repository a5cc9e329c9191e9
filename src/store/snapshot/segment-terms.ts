import type { NativeTermsFile, NativeTermsTail } from '../../addon/native-terms.js';
import type { GuardedSource } from './guarded-source.js';

/** What terms are read from. */
export type TermsSource = NativeTermsFile | NativeTermsTail;

/**
 * How the terms of a segment are stored: `stored` as they should be, `missing` when they have no file or no rows, `damaged` when
 * what is stored is not what was written. In the latter two cases the texts are analyzed again.
 */
export type TermsState = 'stored' | 'missing' | 'damaged';

/** The terms of a segment, or of the tail, of at least its items, which have the same numbers. */
export type SegmentTerms = GuardedSource<TermsSource, TermsState>;
