import type { ErrorCode } from '../index.js';

/** Exit codes of commands; documented in docs/command-line.md. */
export const exitCodes = {
  done: 0,
  failed: 1,
  /** The command line, or a document in the input, is wrong. */
  wrongUse: 2,
  /** The command succeeded and found damage, a violated guarantee, or something missing. */
  findings: 3,
  /** There is no such index, document or model. */
  notThere: 4,
  /** Another process holds the lock; the same command may succeed later. */
  busy: 5,
  /** An optional package or the addon is not installed. */
  notInstalled: 6,
  /** Ended by Ctrl-C; 128 and the number of the signal, as shells count. */
  interrupted: 130,
  terminated: 143,
} as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const byCode: Partial<Record<ErrorCode, ExitCode>> = {
  INVALID_ARGUMENT: exitCodes.wrongUse,
  UNKNOWN_OPTION: exitCodes.wrongUse,
  INVALID_TEXT: exitCodes.wrongUse,
  INVALID_VECTOR: exitCodes.wrongUse,
  INVALID_ID: exitCodes.wrongUse,
  INVALID_METADATA: exitCodes.wrongUse,
  INVALID_FILTER: exitCodes.wrongUse,
  INVALID_FILE: exitCodes.wrongUse,
  UNTRUSTED: exitCodes.wrongUse,
  DUPLICATE_ID: exitCodes.wrongUse,
  DIMENSION_MISMATCH: exitCodes.wrongUse,
  NOT_FOUND: exitCodes.notThere,
  NOT_AN_INDEX: exitCodes.notThere,
  MODEL_NOT_FOUND: exitCodes.notThere,
  BUSY: exitCodes.busy,
  MISSING_PEER: exitCodes.notInstalled,
  ADDON_MISSING: exitCodes.notInstalled,
};

/** The exit code for an error. */
export function exitCodeOf(code: ErrorCode): ExitCode {
  return byCode[code] ?? exitCodes.failed;
}
