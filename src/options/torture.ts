import type { LongWorkOptions } from '../types.js';

/** What `torture(options)` takes. */
export interface TortureOptions {
  /** A folder that is empty or missing. What the torture makes in it is removed again, unless something was found. */
  directory: string;
  /** How often a writer is killed. Default 100. */
  rounds: number;
  /** Where the random choices start; the moments of the kills are not all repeatable. Default 1. */
  seed: number;
  /** As in OpenOptions. Default process. */
  durability: 'process' | 'full';
  signal: LongWorkOptions['signal'];
  onProgress: LongWorkOptions['onProgress'];
}

/** Defaults of {@link TortureOptions}; the folder has none. */
export const tortureDefaults: TortureOptions = {
  directory: '',
  rounds: 100,
  seed: 1,
  durability: 'process',
  signal: undefined,
  onProgress: undefined,
};
