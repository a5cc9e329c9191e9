import type { Command } from 'commander';
import { examineIndex, examineInstallation } from '../doctor.js';
import { examineModel } from '../examine-model.js';
import { exitCodes } from '../exit-codes.js';
import { type ModelFlags, withModelFlags } from '../model-choice.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags } from '../terminal.js';

/** `doctor`: what runs here, what is missing, and the fix. */
export function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('check the engine, the instruction set, the model, and what is missing')
    .argument('[index]', 'also check this index and its model');
  withModelFlags(command);
  withCommonFlags(command, ['doctor', 'doctor my-index --json', 'doctor --model openai:text-embedding-3-small']).action(
    (folder: string | undefined, flags: CommonFlags & ModelFlags) =>
      perform(flags, async ({ terminal }) => {
        const checks = [...(await examineInstallation()), await examineModel(folder, flags, terminal)];
        if (folder !== undefined) checks.push(await examineIndex(folder));
        const healthy = checks.every(({ passed, severity }) => passed || severity !== 'error');
        const lines = checks.map(({ check, passed, severity, message, hint }) => {
          const mark = passed
            ? terminal.style('green', 'ok     ')
            : severity === 'error'
              ? terminal.style('red', 'broken ')
              : terminal.style('yellow', 'absent ');
          return `${mark}  ${check}: ${message}${passed || hint === undefined ? '' : `\n         ${hint}`}`;
        });
        const verdict = healthy ? 'All that is needed is here.' : 'Something is broken: see above.';
        terminal.result({ healthy, checks }, [...lines, verdict]);
        return healthy ? undefined : exitCodes.findings;
      }),
  );
}
