import type { NativeTermsFile, NativeTermsTail } from '../../addon/native-terms.js';
import type { GuardedSource } from './guarded-source.js';
import type { StoredState } from './stored-file.js';

/** What terms are read from. */
export type TermsSource = NativeTermsFile | NativeTermsTail;

/** The terms of a segment, or of the tail, of at least its items, which have the same numbers. */
export type SegmentTerms = GuardedSource<TermsSource, StoredState>;
