import type { Command } from 'commander';

/** Commands that were renamed, with the words to type now. Kept for one release. */
const renamed: Readonly<Record<string, string>> = { build: 'optimize --full', compact: 'optimize' };

/** Flags that were renamed, by command. Kept for one release. */
const renamedFlags: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  export: { as: '--format jsonl or --format annoy; without a target, JSON lines go to stdout' },
  plan: { price: '--price-per-million-tokens' },
  'crash-test': { seconds: '--duration' },
};

/** Old commands and flags, hidden from the help: they fail with one line that has the new name, as a usage error. */
export function addRenamed(program: Command): void {
  for (const [name, words] of Object.entries(renamed)) {
    const command = program
      .command(name, { hidden: true })
      .description(`renamed to '${words}'`)
      .argument('[rest...]')
      .allowUnknownOption()
      .showHelpAfterError(false)
      .addHelpText('after', `\nExamples:\n  $ semantic-index ${words} my-index`);
    command.action(() => command.error(`error: '${name}' was renamed: use '${words}'`));
  }
  for (const [name, flags] of Object.entries(renamedFlags)) {
    const command = program.commands.find((known) => known.name() === name);
    for (const [flag, words] of Object.entries(flags)) {
      command?.on(`option:${flag}`, () => {
        command.showHelpAfterError(false).error(`error: '--${flag}' was renamed: use ${words}`);
      });
    }
  }
}
