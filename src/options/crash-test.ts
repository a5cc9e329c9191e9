import type { LongWorkOptions } from '../types.js';

/** Options for `crashTest`. */
export interface CrashTestOptions {
  /** An empty or missing directory. It is removed again, unless a guarantee was violated. */
  directory: string;
  /** Maximum number of kills. Default 100. */
  rounds: number;
  /** Milliseconds after which no round starts. Default: no limit. */
  duration: number | undefined;
  /** Seed of the random choices; the moments of random kills still vary. Default 1. */
  seed: number;
  /** As in OpenOptions. Default process. */
  durability: 'process' | 'full';
  signal: LongWorkOptions['signal'];
  onProgress: LongWorkOptions['onProgress'];
}

/** Defaults of {@link CrashTestOptions}; the directory has none. */
export const crashTestDefaults: CrashTestOptions = {
  directory: '',
  rounds: 100,
  duration: undefined,
  seed: 1,
  durability: 'process',
  signal: undefined,
  onProgress: undefined,
};

/** Options for `crowd`. */
export interface CrowdOptions {
  /** An empty or missing directory. It is removed again, unless a guarantee was violated. */
  directory: string;
  /** Number of writing processes. Default 2. */
  writers: number;
  /** Number of searching processes. Default 4. */
  readers: number;
  /** Duration in milliseconds. Default 60,000. */
  duration: number;
  /** Seed of the random choices. Default 1. */
  seed: number;
  signal: LongWorkOptions['signal'];
}

/** Defaults of {@link CrowdOptions}; the directory has none. */
export const crowdDefaults: CrowdOptions = {
  directory: '',
  writers: 2,
  readers: 4,
  duration: 60_000,
  seed: 1,
  signal: undefined,
};
