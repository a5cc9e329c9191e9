import { createRequire } from 'node:module';
import { styleText } from 'node:util';
import type { SingleBar } from 'cli-progress';
import { type ErrorCode, SemanticIndexError } from '../errors.js';
import type { LongWorkOptions } from '../types.js';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.js';

const load = createRequire(import.meta.url);

/** Flags of all commands. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly debug?: boolean;
  /** False after `--no-color`. */
  readonly color?: boolean;
}

/** A progress bar. */
export interface ProgressBar {
  readonly onProgress: NonNullable<LongWorkOptions['onProgress']>;
  stop(): void;
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/**
 * Where a command prints: results on stdout, for people or, with `--json`, as one JSON value; notes, progress and errors on
 * stderr. Colours and bars appear on a terminal only.
 */
export class Terminal {
  readonly json: boolean;
  readonly #flags: CommonFlags;

  constructor(flags: CommonFlags) {
    this.#flags = flags;
    this.json = flags.json === true;
  }

  /** Columns of the terminal; 100 in a pipe. */
  get width(): number {
    return Math.min(process.stdout.columns ?? 100, 140);
  }

  style(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
    const wanted = this.#flags.color !== false && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
    const colors = wanted && (stream.isTTY === true || Boolean(process.env.FORCE_COLOR));
    return colors ? styleText(style, text) : text;
  }

  /** The result of a command: `value` for programs, or the lines for people. */
  result(value: unknown, lines: readonly string[]): void {
    if (this.json) process.stdout.write(`${JSON.stringify(value)}\n`);
    else if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
  }

  /** One line of a longer output, such as a document of an export. */
  line(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** A note beside the result. */
  note(text: string): void {
    if (this.#flags.quiet !== true && !this.json) process.stderr.write(`${text}\n`);
  }

  /** A bar on stderr, where that is a terminal; else nothing. */
  startProgress(): ProgressBar {
    if (process.stderr.isTTY !== true || this.#flags.quiet === true || this.json) {
      return { onProgress: () => {}, stop: () => {} };
    }
    const known = '  {bar} {percentage}% | {stage} {value} of {total}';
    const unknown = '  {stage} {value}';
    // Loaded here: most commands end before there is anything to draw.
    const { SingleBar: Bar } = load('cli-progress') as { SingleBar: typeof SingleBar };
    const bar = new Bar({
      stream: process.stderr,
      format: (options, params, payload: { stage: string; known: boolean }) => {
        const filled = Math.round((options.barsize ?? 30) * params.progress);
        const drawn = '█'.repeat(filled) + '░'.repeat((options.barsize ?? 30) - filled);
        return (payload.known ? known : unknown)
          .replace('{bar}', drawn)
          .replace('{percentage}', String(Math.floor(params.progress * 100)).padStart(3))
          .replace('{stage}', payload.stage)
          .replace('{value}', params.value.toLocaleString('en'))
          .replace('{total}', params.total.toLocaleString('en'));
      },
      barsize: 30,
      hideCursor: true,
      clearOnComplete: true,
      linewrap: null,
    });
    let started = false;
    return {
      onProgress({ stage, done, total }) {
        const payload = { stage, known: total !== undefined };
        if (!started) bar.start(total ?? done, done, payload);
        started = true;
        bar.setTotal(Math.max(1, total ?? done));
        bar.update(done, payload);
      },
      stop: () => {
        if (started) bar.stop();
      },
    };
  }

  /** Prints an error and its hint, with the stack only on request, and returns the exit code. */
  fail(error: unknown): ExitCode {
    const known = SemanticIndexError.is(error);
    const code = known ? error.code : 'INTERNAL';
    const message = error instanceof Error ? error.message : String(error);
    const hint = known ? hintFor(error) : 'Run the command again with --debug, and report what it prints.';
    if (this.json) {
      const details = known ? error.details : {};
      process.stderr.write(`${JSON.stringify({ error: { code, message, hint, details } })}\n`);
    } else {
      const head = this.style('red', `error ${code}`, process.stderr);
      process.stderr.write(`${head}: ${message}\n${hint === '' ? '' : `  ${hint}\n`}`);
    }
    if (this.#flags.debug === true && error instanceof Error) {
      for (let at: unknown = error; at instanceof Error; at = at.cause) process.stderr.write(`${at.stack}\n`);
    }
    return known ? exitCodeOf(code) : exitCodes.failed;
  }
}

/** Hints of the library name its methods; at a terminal the corresponding commands are shown. */
const hintsForPeople: Partial<Record<ErrorCode, string>> = {
  NOT_FOUND: 'Check the id; semantic-index list INDEX prints those that there are.',
  READ_ONLY: 'Check that this user may write to the directory of the index.',
  BUSY: 'Another process is writing; run the command again when it has ended.',
  SPACE_MISMATCH: 'Name the model of the index with --model, or move the index with semantic-index migrate.',
  CORRUPT: 'See what is damaged with semantic-index validate INDEX --full; semantic-index rebuild derives it again.',
  IO: 'Check that the path exists, that this user may use it, and that the disk has room.',
  INVALID_FILTER: 'See docs/search.md for the operators of --where.',
  INPUT_TOO_LONG: 'Split the text.',
};

function hintFor({ code, hint }: SemanticIndexError): string {
  const isGeneral = hint === new SemanticIndexError(code, '').hint;
  return (isGeneral ? hintsForPeople[code] : undefined) ?? hint;
}
