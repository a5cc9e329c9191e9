import type { LongWorkOptions } from '../types.js';
import type { Listed, Resolved } from './resolve-options.js';

/** Options of `crashTest`. */
export interface CrashTestOptions {
  /** An empty or missing directory. It is removed again, unless a guarantee was violated. */
  directory: string;
  /** Maximum number of kills. Default 100. */
  rounds?: number | undefined;
  /** Milliseconds after which no round starts. Default: no limit. */
  duration?: number | undefined;
  /** Seed of the random choices; the moments of random kills still vary. Default 1. */
  seed?: number | undefined;
  /** As in OpenOptions. Default process. */
  durability?: 'process' | 'full' | undefined;
  signal?: LongWorkOptions['signal'] | undefined;
  onProgress?: LongWorkOptions['onProgress'] | undefined;
}

/** Defaults of {@link CrashTestOptions}; the directory has none. */
export const crashTestDefaults = {
  directory: '',
  rounds: 100,
  duration: undefined,
  seed: 1,
  durability: 'process',
  signal: undefined,
  onProgress: undefined,
} satisfies Listed<CrashTestOptions>;

/** {@link CrashTestOptions}, completed by the defaults. */
export type ResolvedCrashTestOptions = Resolved<CrashTestOptions, typeof crashTestDefaults>;

/** Options of `crowd`. */
export interface CrowdOptions {
  /** An empty or missing directory. It is removed again, unless a guarantee was violated. */
  directory: string;
  /** Number of writing processes. Default 2. */
  writers?: number | undefined;
  /** Number of searching processes. Default 4. */
  readers?: number | undefined;
  /** Duration in milliseconds. Default 60,000. */
  duration?: number | undefined;
  /** Seed of the random choices. Default 1. */
  seed?: number | undefined;
  signal?: LongWorkOptions['signal'] | undefined;
}

/** Defaults of {@link CrowdOptions}; the directory has none. */
export const crowdDefaults = {
  directory: '',
  writers: 2,
  readers: 4,
  duration: 60_000,
  seed: 1,
  signal: undefined,
} satisfies Listed<CrowdOptions>;

/** {@link CrowdOptions}, completed by the defaults. */
export type ResolvedCrowdOptions = Resolved<CrowdOptions, typeof crowdDefaults>;
