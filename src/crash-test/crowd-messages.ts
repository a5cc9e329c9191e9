/** Arguments of a member process. */
export interface MemberOrders {
  readonly directory: string;
  readonly role: 'writer' | 'reader';
  /** Number of the member within its role. Each writer has documents of its own. */
  readonly number: number;
  readonly writers: number;
  readonly seed: number;
  /** Directory with one file for each writer: its last acknowledged commit. */
  readonly tallies: string;
}

/** Counts and faults of a member. */
export interface MemberReport {
  readonly commits: number;
  readonly maintenance: number;
  readonly searches: number;
  /** Operations that failed with BUSY, which is documented behavior. */
  readonly refusals: number;
  /** Searches that missed a commit acknowledged before they started, or one that this member had already seen. */
  readonly stale: number;
  /** Searches that saw parts of two commits. */
  readonly mixed: number;
  /** Descriptions of everything that was wrong. */
  readonly faults: readonly string[];
}

/** Counts at the start. */
export const noReport = { commits: 0, maintenance: 0, searches: 0, refusals: 0, stale: 0, mixed: 0 };
export type MemberCounts = { -readonly [K in keyof typeof noReport]: number };
