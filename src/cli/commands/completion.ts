import { Argument, type Command } from 'commander';
import { completionScript, completionsOf, type Shell, shells } from '../completion.js';

/** Ends `complete` where the shell shall offer files. */
const offerFiles = 9;

/** `completion`: a script for a shell; and `complete`, which such a script asks. */
export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes commands and flags in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText(
      'after',
      `\nExamples:\n  $ semantic-index completion bash >> ~/.bashrc\n  $ semantic-index completion fish > ~/.config/fish/completions/semantic-index.fish`,
    )
    .action((shell: Shell) => void process.stdout.write(`${completionScript(shell)}\n`));
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
