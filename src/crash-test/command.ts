import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SemanticIndexError } from '../errors.js';
import { type CrashTestReport, crashTest } from './crash-test.js';
import { type CrowdReport, crowd } from './crowd.js';

/** Where a command tells what it does. */
export interface CommandOutput {
  /** Results. */
  readonly print: (line: string) => void;
  /** Progress and complaints. */
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const usage = `Looks whether an index keeps its promises while processes die and get in each other's way.

  kill [FOLDER]    kills a writer again and again, at each named step and at random moments, and looks after each death
                   whether anything that was acknowledged is lost, deleted, or there in part
    --rounds N       writers to kill (default 100)
    --seconds S      no further round after so long (default: no limit)
    --seed N         where the random choices start (default 1)
    --durability D   process or full (default process)

  crowd [FOLDER]   several writers and readers at once: no error but BUSY, no search behind what was acknowledged before
                   it began, no mixture of two commits
    --seconds S      how long (default 60)
    --writers N      (default 2)
    --readers N      (default 4)
    --seed N         where the random choices start (default 1)

FOLDER is empty or missing; without one a temporary folder is used. It is removed again, unless something was found.
Ends with 0 when all promises were kept, 1 when one was broken, 2 when it was called wrongly.`;

/**
 * The command `crash-test`: reads its arguments, runs, prints a report. Resolves with the exit code.
 */
export async function runCommand(args: readonly string[], output: CommandOutput): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    output.report(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help) {
    output.print(usage);
    return 0;
  }
  const [kind = 'kill', given, ...rest] = positionals;
  if ((kind !== 'kill' && kind !== 'crowd') || rest.length > 0) {
    output.report(`Neither kill nor crowd: ${positionals.join(' ')}\n\n${usage}`);
    return 2;
  }
  const directory = given ?? (await mkdtemp(join(tmpdir(), 'semantic-index-crash-test-')));
  try {
    return kind === 'kill' ? await kill(directory, values, output) : await gather(directory, values, output);
  } catch (error) {
    if (given === undefined) await rmdir(directory).catch(() => {});
    if (!SemanticIndexError.is(error, 'INVALID_ARGUMENT')) throw error;
    output.report(`${error.message}. ${error.hint}`);
    return 2;
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      ...{ rounds: text, seconds: text, seed: text, durability: text, writers: text, readers: text },
    },
  });
}

type Values = ReturnType<typeof parse>['values'];

function numberOf(values: Values, name: 'rounds' | 'seconds' | 'seed' | 'writers' | 'readers'): number | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number) || number < 0) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `--${name} is ${JSON.stringify(value)}`, {
      hint: 'Pass a number.',
    });
  }
  return number;
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

async function kill(directory: string, values: Values, { print, report, signal }: CommandOutput): Promise<number> {
  const { durability } = values;
  if (durability !== undefined && durability !== 'process' && durability !== 'full') {
    throw new SemanticIndexError('INVALID_ARGUMENT', `--durability is ${JSON.stringify(durability)}`, {
      hint: 'Pass process or full.',
    });
  }
  const result = await crashTest({
    directory,
    rounds: numberOf(values, 'rounds'),
    duration: milliseconds(numberOf(values, 'seconds')),
    seed: numberOf(values, 'seed'),
    durability,
    signal,
    onProgress: ({ done, total }) => {
      if (done % 10 === 0) report(`${done} of ${total} rounds`);
    },
  });
  for (const line of linesOfKills(result)) print(line);
  return verdict(result.faults, directory, print);
}

function linesOfKills({
  rounds,
  milliseconds,
  kills,
  unreached,
  acknowledged,
  backups,
  ...found
}: CrashTestReport): string[] {
  return [
    `killed ${rounds} writers in ${Math.round(milliseconds / 1000)} s:`,
    ...Object.entries(kills).map(([where, times]) => `  ${String(times).padStart(5)}  ${where}`),
    `named steps at which nobody died: ${unreached.join(', ') || 'none'}`,
    `acknowledged changes of documents: ${acknowledged}, backups compared: ${backups}`,
    `lost: ${found.lost}, resurrected: ${found.resurrected}, torn: ${found.torn}`,
  ];
}

async function gather(directory: string, values: Values, { print, signal }: CommandOutput): Promise<number> {
  const result = await crowd({
    directory,
    duration: milliseconds(numberOf(values, 'seconds')),
    writers: numberOf(values, 'writers'),
    readers: numberOf(values, 'readers'),
    seed: numberOf(values, 'seed'),
    signal,
  });
  for (const line of linesOfCrowd(result)) print(line);
  return verdict(result.faults, directory, print);
}

function linesOfCrowd({ writers, readers, milliseconds, ...counts }: CrowdReport): string[] {
  const { commits, searches, refusals, maintenance } = counts;
  return [
    `${writers} writers and ${readers} readers for ${Math.round(milliseconds / 1000)} s:`,
    `commits: ${commits}, builds and compactions: ${maintenance}, refused as BUSY: ${refusals}`,
    `searches: ${searches}, behind an acknowledged commit: ${counts.stale}, mixtures of commits: ${counts.mixed}`,
  ];
}

function verdict(faults: readonly string[], directory: string, print: (line: string) => void): number {
  for (const fault of faults) print(`FAULT ${fault}`);
  print(faults.length === 0 ? 'All promises were kept.' : `${faults.length} faults; see ${directory}.`);
  return faults.length === 0 ? 0 : 1;
}
