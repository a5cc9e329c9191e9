import type { NativeTermsFile, NativeTermsTail } from '../../addon/native-terms.js';

/** What terms are read from. */
export type TermsSource = NativeTermsFile | NativeTermsTail;

/**
 * How the terms of a segment are stored: `stored` as they should be, `missing` when they have no file or no rows, `damaged` when
 * what is stored is not what was written. In the latter two cases the texts are analyzed again.
 */
export type TermsState = 'stored' | 'missing' | 'damaged';

/** The terms of a segment, or of the tail; items have the same numbers as in the segment. */
export interface SegmentTerms {
  readonly state: TermsState;
  /** The terms of at least the items that the segment had when it was made. */
  source(signal?: AbortSignal): Promise<TermsSource>;
  /**
   * Whether what was read from a source is what was published. If not, `source` gives another one from now on, and the search has
   * to be repeated.
   */
  isSound(source: TermsSource): Promise<boolean>;
  /** Compares all that is stored with what was published; replaces the source if it is damaged. */
  verify(signal?: AbortSignal): Promise<void>;
  close(): void;
}
