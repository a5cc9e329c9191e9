import { Argument, type Command } from 'commander';
import { completionScript, completionsOf, type Shell, shells } from '../completion.js';
import { withCommonFlags } from '../perform.js';
import { type CommonFlags, Terminal } from '../terminal.js';

/** Ends `complete` where the shell shall offer files. */
const offerFiles = 9;

/** `completion`: a script for a shell; and `complete`, which such a script asks. */
export function addCompletion(program: Command): void {
  const command = program
    .command('completion')
    .description('print a script that completes commands and flags in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells));
  withCommonFlags(command, [
    'completion bash >> ~/.bashrc',
    'completion fish > ~/.config/fish/completions/semantic-index.fish',
  ]).action((shell: Shell, flags: CommonFlags) => {
    const script = completionScript(shell);
    new Terminal(flags).result({ shell, script }, [script]);
  });
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action((words: string[]) => {
      const completions = completionsOf(program, words);
      if (completions === undefined) process.exitCode = offerFiles;
      else process.stdout.write(completions.map((completion) => `${completion}\n`).join(''));
    });
}
