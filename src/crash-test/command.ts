import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SemanticIndexError } from '../errors.js';
import { type CrashTestReport, crashTest } from './crash-test.js';
import { type CrowdReport, crowd } from './crowd.js';

/** Output of a command. */
export interface CommandOutput {
  /** Results. */
  readonly print: (line: string) => void;
  /** Progress and errors. */
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const usage = `Verifies the durability and isolation guarantees of an index on this machine.

  kill [DIRECTORY]   Kills a writer process at every crash point and at random moments. After each kill, verifies that no
                     acknowledged change is lost, no deleted document is back, and none is there in part.
    --rounds N       number of kills (default 100)
    --duration S     start no round after S seconds (default: no limit)
    --seed N         seed of the random choices (default 1)
    --durability D   process or full (default process)

  crowd [DIRECTORY]  Runs writers and readers concurrently. Verifies that calls fail with BUSY only, and that each search
                     sees every commit acknowledged before it started, and no part of a later one.
    --duration S     seconds to run (default 60)
    --writers N      writer processes (default 2)
    --readers N      reader processes (default 4)
    --seed N         seed of the random choices (default 1)

DIRECTORY must be empty or missing; default: a temporary directory. It is removed unless a guarantee was violated.
Exit codes: 0 all guarantees held, 1 a guarantee was violated, 2 invalid arguments.`;

/** Runs the command `kill` or `crowd` and prints a report. Resolves to the exit code. */
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
    output.report(`Expected kill or crowd and at most one directory, got: ${positionals.join(' ')}\n\n${usage}`);
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
      ...{ rounds: text, duration: text, seed: text, durability: text, writers: text, readers: text },
    },
  });
}

type Values = ReturnType<typeof parse>['values'];

function numberOf(values: Values, name: 'rounds' | 'duration' | 'seed' | 'writers' | 'readers'): number | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number) || number < 0) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `Expected --${name} as a number of 0 or more, got ${JSON.stringify(value)}`,
      {
        hint: 'See --help.',
      },
    );
  }
  return number;
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

async function kill(directory: string, values: Values, { print, report, signal }: CommandOutput): Promise<number> {
  const { durability } = values;
  if (durability !== undefined && durability !== 'process' && durability !== 'full') {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `Expected --durability process or full, got ${JSON.stringify(durability)}`,
      {
        hint: 'See --help.',
      },
    );
  }
  const result = await crashTest({
    directory,
    rounds: numberOf(values, 'rounds'),
    duration: milliseconds(numberOf(values, 'duration')),
    seed: numberOf(values, 'seed'),
    durability,
    signal,
    onProgress: ({ done, total }) => {
      if (done % 10 === 0) report(`${done} of ${total} rounds`);
    },
  });
  for (const line of linesOfKills(result)) print(line);
  return conclude(result.faults, directory, print);
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
    `Killed ${rounds} writers in ${Math.round(milliseconds / 1000)} s:`,
    ...Object.entries(kills).map(([where, times]) => `  ${String(times).padStart(5)}  ${where}`),
    `crash points not reached: ${unreached.join(', ') || 'none'}`,
    `acknowledged changes: ${acknowledged}, backups compared: ${backups}`,
    `lost: ${found.lost}, resurrected: ${found.resurrected}, torn: ${found.torn}`,
  ];
}

async function gather(directory: string, values: Values, { print, signal }: CommandOutput): Promise<number> {
  const result = await crowd({
    directory,
    duration: milliseconds(numberOf(values, 'duration')),
    writers: numberOf(values, 'writers'),
    readers: numberOf(values, 'readers'),
    seed: numberOf(values, 'seed'),
    signal,
  });
  for (const line of linesOfCrowd(result)) print(line);
  return conclude(result.faults, directory, print);
}

function linesOfCrowd({ writers, readers, milliseconds, ...counts }: CrowdReport): string[] {
  const { commits, searches, refusals, maintenance } = counts;
  return [
    `${writers} writers and ${readers} readers for ${Math.round(milliseconds / 1000)} s:`,
    `commits: ${commits}, builds and compactions: ${maintenance}, failed with BUSY: ${refusals}`,
    `searches: ${searches}, stale: ${counts.stale}, with parts of two commits: ${counts.mixed}`,
  ];
}

function conclude(faults: readonly string[], directory: string, print: (line: string) => void): number {
  for (const fault of faults) print(`FAULT ${fault}`);
  print(faults.length === 0 ? 'All guarantees held.' : `${faults.length} faults; the files are in ${directory}.`);
  return faults.length === 0 ? 0 : 1;
}
