import type { LongWorkOptions } from '../types.js';

/** What `crash-test(options)` takes. */
export interface CrashTestOptions {
  /** A folder that is empty or missing. What the crashTest makes in it is removed again, unless something was found. */
  directory: string;
  /** How often a writer is killed at most. Default 100. */
  rounds: number;
  /** Milliseconds after which no further round begins. Default: no such limit. */
  duration: number | undefined;
  /** Where the random choices start; the moments of the kills are not all repeatable. Default 1. */
  seed: number;
  /** As in OpenOptions. Default process. */
  durability: 'process' | 'full';
  signal: LongWorkOptions['signal'];
  onProgress: LongWorkOptions['onProgress'];
}

/** Defaults of {@link CrashTestOptions}; the folder has none. */
export const crashTestDefaults: CrashTestOptions = {
  directory: '',
  rounds: 100,
  duration: undefined,
  seed: 1,
  durability: 'process',
  signal: undefined,
  onProgress: undefined,
};

/** What `crowd(options)` takes. */
export interface CrowdOptions {
  /** A folder that is empty or missing. The index in it is removed again, unless something was found. */
  directory: string;
  /** Processes that write. Default 2. */
  writers: number;
  /** Processes that search. Default 4. */
  readers: number;
  /** How long they go on, in milliseconds. Default 60,000. */
  duration: number;
  /** Where the random choices start. Default 1. */
  seed: number;
  signal: LongWorkOptions['signal'];
}

/** Defaults of {@link CrowdOptions}; the folder has none. */
export const crowdDefaults: CrowdOptions = {
  directory: '',
  writers: 2,
  readers: 4,
  duration: 60_000,
  seed: 1,
  signal: undefined,
};
