import type { Command } from 'commander';
import { positiveInteger } from '../arguments.js';
import { exitCodes } from '../exit-codes.js';
import { type ModelFlags, withModelFlags } from '../model-choice.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import { AddedSources, type AddFlags, isIncomplete, namedFiles } from '../sources/added-sources.js';
import { withSourceFlags } from '../sources/source-flags.js';
import { watchSources } from '../sources/watch-sources.js';
import type { CommonFlags } from '../terminal.js';

/** `add`: files, folders, patterns, JSONL, CSV and stdin into an index. */
export function addAdd(program: Command): void {
  const command = program
    .command('add')
    .description('add files, directories, tables or stdin; unchanged documents are skipped, changed ones replaced')
    .argument('<index>', 'directory of the index; created if missing')
    .argument('<sources...>', 'files, directories, quoted patterns, or - for stdin');
  withSourceFlags(command)
    .option('--prune', 'also delete the chunks of text files that no longer exist')
    .option('--restore-duplicates', 'also add documents that dedupe deleted')
    .option('--dry-run', 'with text files: count the changes without making them')
    .option('--watch', 'watch the sources and add changes until Ctrl-C')
    .option('--batch-size <number>', 'documents committed together', positiveInteger, 512);
  withModelFlags(command);
  withCommonFlags(command, [
    'add my-index docs README.md',
    'add my-index "notes/**/*.md" --prune --watch',
    'add my-index tickets.csv --text-field body --id-field number',
    'add my-index - --format jsonl --json < questions.jsonl',
  ]).action((folder: string, names: string[], flags: AddFlags & CommonFlags & ModelFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      // Before the index is created: a missing source must not leave an empty index.
      const found = await namedFiles(names, flags);
      await using opened = await openIndex(folder, flags, terminal, { create: true });
      const sources = new AddedSources(opened.index, folder, flags, terminal, signal);
      if (flags.watch === true) {
        await watchSources(names, sources, terminal, signal);
        return undefined;
      }
      const total = await sources.add(names, found);
      terminal.result({ ...total, watching: false }, sources.describe(total));
      return isIncomplete(total) ? exitCodes.failed : undefined;
    }),
  );
}
