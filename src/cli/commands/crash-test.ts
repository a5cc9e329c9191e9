import { type Command, Option } from 'commander';
import { crashTest } from '../../crash-test/crash-test.js';
import { positiveInteger } from '../arguments.js';
import { exitCodes } from '../exit-codes.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags } from '../terminal.js';

interface CrashTestFlags extends CommonFlags {
  readonly rounds: number;
  readonly seconds?: number;
  readonly seed: number;
  readonly durability: 'process' | 'full';
}

/** `crash-test`: kills writers on this machine and looks whether promises are kept. */
export function addCrashTest(program: Command): void {
  const command = program
    .command('crash-test')
    .description('kill writers again and again and look whether the index keeps its promises on this machine')
    .argument('<folder>', 'a folder that is empty or missing; indexes are made and broken in it')
    .option('--rounds <number>', 'how often a writer is killed', positiveInteger, 100)
    .option('--seconds <number>', 'no further round after so long', positiveInteger)
    .option('--seed <number>', 'where the random choices start', positiveInteger, 1)
    .addOption(new Option('--durability <mode>', 'as of the index').choices(['process', 'full']).default('process'));
  withCommonFlags(command, ['crash-test scratch --rounds 20']).action((directory: string, flags: CrashTestFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      const { rounds, seconds, seed, durability } = flags;
      const duration = seconds === undefined ? undefined : seconds * 1000;
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
        report.faults.length === 0 ? 'All promises were kept.' : `${report.faults.length} faults.`,
      ]);
      return report.faults.length === 0 ? undefined : exitCodes.findings;
    }),
  );
}
