/** What a member of a crowd is told at its start. */
export interface MemberOrders {
  readonly directory: string;
  readonly role: 'writer' | 'reader';
  /** Which writer; documents of a writer are its own. */
  readonly number: number;
  readonly writers: number;
  readonly seed: number;
  /** Folder with one file for each writer: the last commit that was acknowledged to it. */
  readonly tallies: string;
}

/** What a member has done and found. */
export interface MemberReport {
  readonly commits: number;
  readonly maintenance: number;
  readonly searches: number;
  /** Times that it was told BUSY, which is documented. */
  readonly refusals: number;
  /** Searches that did not see a commit acknowledged before they began, or one that this member had seen already. */
  readonly stale: number;
  /** Searches that saw parts of two commits. */
  readonly mixed: number;
  /** Everything that was wrong, in words. */
  readonly faults: readonly string[];
}

/** Counts that can be added up. */
export const noReport = { commits: 0, maintenance: 0, searches: 0, refusals: 0, stale: 0, mixed: 0 };
export type MemberCounts = { -readonly [K in keyof typeof noReport]: number };
