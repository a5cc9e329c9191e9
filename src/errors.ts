/** Every error code with the hint used when the place that throws has nothing more precise to say. */
const hints = {
  // What the caller passed in
  INVALID_ARGUMENT: 'Check the argument against the documentation of the method.',
  UNKNOWN_OPTION: 'Check the spelling of the option.',
  INVALID_TEXT: 'Pass a string with at least one character that is not white space.',
  INVALID_VECTOR: 'Pass finite numbers; NaN and infinity cannot be compared.',
  INVALID_ID: 'Use a non-empty string or a safe integer as id.',
  INVALID_METADATA: 'Metadata must be a plain object that JSON can represent.',
  INVALID_FILTER: 'See the documentation of `where` for the operators.',
  DUPLICATE_ID: 'Each id may occur once per call; drop or merge the repeated document.',
  DIMENSION_MISMATCH: 'Vectors must have as many numbers as the index has dimensions.',
  NOT_FOUND: 'Check the id; `listDocuments()` shows what is there.',
  // The index and its life
  NOT_AN_INDEX: 'Pass the directory of an index, or an empty or missing directory to create one.',
  NEWER_FORMAT: 'Install a newer version of semantic-index to open it.',
  CLOSED: 'Open it again; a closed index cannot be used.',
  READ_ONLY: 'Open it without `readonly` to change it.',
  BUSY: 'Another process holds the write lock; try again later or raise `busyTimeout`.',
  SPACE_MISMATCH: 'Open the index with the provider it was made with, or migrate it to the new one.',
  CORRUPT: 'Run `validate()` to see what is damaged and `rebuild()` to derive it again.',
  UNTRUSTED: 'A file from someone else asks for something that you have not allowed.',
  IO: 'Check that the path exists, is writable, and that the disk has room.',
  // Annoy files and matrices
  NOT_BUILT: 'Call `build()` first.',
  ALREADY_BUILT: 'Call `unbuild()` first; items cannot be added to a built index.',
  NOT_LOADED: 'Call `load()` or open the index first.',
  INVALID_FILE: 'The file is damaged, or is not of the stated metric and dimensions.',
  UNSUPPORTED: 'This is not supported; the message says what is.',
  // Embedding
  MISSING_PEER: 'Install the optional package that the message names.',
  MODEL_NOT_FOUND: 'Check the name or directory of the model.',
  PROVIDER_FAILED: 'See `cause` for what the embedding provider reported.',
  PROVIDER_INVALID: 'The embedding provider broke its contract; run `testProvider` on it.',
  INPUT_TOO_LONG: 'Split the text, or let the provider truncate it.',
  // The service
  UNAUTHORIZED: 'Send the token of the service: `Authorization: Bearer TOKEN`.',
  FORBIDDEN: 'Send the Host of the service, and no Origin of another site.',
  TOO_LARGE: 'Send less in one request.',
  TIMEOUT: 'Send the request faster, ask for less, or raise the limit of the service.',
  UNAVAILABLE: 'Try again in a moment: the service is starting or stopping.',
  // The native addon
  ADDON_MISSING: 'Run `npm run build:native`; it needs a C++17 compiler and cmake.',
  OUT_OF_MEMORY: 'Use fewer or shorter vectors, or build on disk with `onDiskBuild(path)`.',
  INTERNAL: 'This is a defect in semantic-index; please report it with the stack.',
} as const;

/** Stable error codes. */
export type ErrorCode = keyof typeof hints;

const marker = Symbol.for('semantic-index.error');

/** Additional members of an error. */
export interface SemanticIndexErrorOptions {
  /** The next step. Default: the general hint of the code. */
  hint?: string;
  /** The original error. */
  cause?: unknown;
  /** Data for programs: expected and actual values, paths, reports. */
  details?: Readonly<Record<string, unknown>>;
}

/**
 * The error class of this package. `code` identifies the error and is stable across versions, `hint` describes the next
 * step, `cause` is the original error.
 */
export class SemanticIndexError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: SemanticIndexErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SemanticIndexError';
    this.code = code;
    this.hint = options.hint ?? hints[code];
    this.details = options.details ?? {};
    Object.defineProperty(this, marker, { value: true });
  }

  /** Whether a value is an error of this class, also of another copy of the package or another thread. */
  static is(value: unknown, code?: ErrorCode): value is SemanticIndexError {
    return (
      value instanceof Error &&
      (value as { [marker]?: boolean })[marker] === true &&
      (code === undefined || (value as SemanticIndexError).code === code)
    );
  }
}
