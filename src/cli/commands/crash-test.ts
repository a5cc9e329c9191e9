import { type Command, Option } from 'commander';
import { crashTest } from '../../crash-test/crash-test.js';
import { positiveInteger } from '../arguments.js';
import { exitCodes } from '../exit-codes.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags } from '../terminal.js';

interface CrashTestFlags extends CommonFlags {
  readonly rounds: number;
  readonly duration?: number;
  readonly seed: number;
  readonly durability: 'process' | 'full';
}

/** `crash-test`: kills writers on this machine and verifies the durability guarantees. */
export function addCrashTest(program: Command): void {
  const command = program
    .command('crash-test')
    .description(
      'kill writer processes at every crash point and at random moments, and verify that no acknowledged change is lost',
    )
    .argument('<directory>', 'an empty or missing directory; removed again unless a guarantee was violated')
    .option('--rounds <number>', 'number of kills', positiveInteger, 100)
    .option('--duration <seconds>', 'start no round after this time', positiveInteger)
    .addOption(new Option('--seconds <number>').hideHelp())
    .option('--seed <number>', 'seed of the random choices', positiveInteger, 1)
    .addOption(
      new Option('--durability <mode>', 'durability of the index under test')
        .choices(['process', 'full'])
        .default('process'),
    );
  withCommonFlags(command, ['crash-test scratch --rounds 20']).action((directory: string, flags: CrashTestFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      const { rounds, seed, durability } = flags;
      const duration = flags.duration === undefined ? undefined : flags.duration * 1000;
      const bar = terminal.startProgress();
      const { onProgress } = bar;
      const report = await crashTest({ directory, rounds, duration, seed, durability, signal, onProgress }).finally(
        () => bar.stop(),
      );
      const kills = Object.entries(report.kills).map(([where, times]) => `  ${String(times).padStart(5)}  ${where}`);
      terminal.result(report, [
        `Killed ${report.rounds} writers in ${Math.round(report.milliseconds / 1000)} s:`,
        ...kills,
        `${report.acknowledged} acknowledged changes, ${report.backups} backups: ` +
          `${report.lost} lost, ${report.resurrected} resurrected, ${report.torn} torn`,
        ...report.faults.map((fault) => terminal.style('red', `FAULT ${fault}`)),
        report.faults.length === 0
          ? 'All guarantees held.'
          : `${report.faults.length} faults; the files are in ${directory}.`,
      ]);
      return report.faults.length === 0 ? undefined : exitCodes.findings;
    }),
  );
}
