import { type Command, Option } from 'commander';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { type CommonFlags, Terminal } from './terminal.js';

/** Arguments of the function that does the work of a command. */
export interface Session {
  readonly terminal: Terminal;
  /** Aborts at Ctrl-C and at SIGTERM. */
  readonly signal: AbortSignal;
}

/** Adds the common flags and the examples of a command. */
export function withCommonFlags(command: Command, examples: readonly string[]): Command {
  return command
    .option('--json', 'print one JSON value instead of text')
    .option('-q, --quiet', 'print the result only: no notes, no progress')
    .option('--no-color', 'print without colors; so does NO_COLOR')
    .addOption(new Option('--debug', 'print stacks of errors').hideHelp())
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ semantic-index ${example}`).join('\n')}`);
}

/**
 * Runs the work of a command. The first Ctrl-C or SIGTERM aborts it in order: what was committed stays, and the index is
 * closed. A second one ends the process immediately; the index stays consistent.
 */
export async function perform(
  flags: CommonFlags,
  work: (session: Session) => Promise<ExitCode | undefined>,
): Promise<void> {
  const terminal = new Terminal(flags);
  const controller = new AbortController();
  let endWith: ExitCode = exitCodes.interrupted;
  const stop = (signal: NodeJS.Signals): void => {
    const code = signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated;
    if (controller.signal.aborted) process.exit(code);
    endWith = code;
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    process.exitCode = (await work({ terminal, signal: controller.signal })) ?? exitCodes.done;
  } catch (error) {
    if (controller.signal.aborted) {
      terminal.note(
        'Interrupted. The index is whole and keeps what was committed; the same command goes on from there.',
      );
      process.exitCode = endWith;
    } else {
      process.exitCode = terminal.fail(error);
    }
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
