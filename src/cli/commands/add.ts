import { type Command, Option } from 'commander';
import { positiveInteger } from '../arguments.js';
import { type ModelFlags, withModelFlags } from '../model-choice.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import { AddedSources, type AddFlags } from '../sources/added-sources.js';
import { fieldDefaults } from '../sources/document-fields.js';
import { textEndings } from '../sources/find-files.js';
import { recordFormats } from '../sources/read-records.js';
import { watchSources } from '../sources/watch-sources.js';
import type { CommonFlags } from '../terminal.js';

const list = (text: string): string[] => text.split(',').filter((part) => part !== '');

/** `add`: files, folders, patterns, JSONL, CSV and stdin into an index. */
export function addAdd(program: Command): void {
  const command = program
    .command('add')
    .description('add files, folders, tables or stdin; what is unchanged is skipped, what changed is replaced')
    .argument('<index>', 'folder of the index; made when it is missing')
    .argument('<sources...>', 'files, folders, quoted patterns, or - for stdin')
    .addOption(
      new Option('-f, --format <format>', 'format of the files; default: by their endings').choices(recordFormats),
    )
    .option('--ext <endings>', 'endings of the files taken from folders', list, textEndings)
    .option('--text-field <name>', 'field of the text in JSONL, CSV and TSV', fieldDefaults.textField)
    .option('--id-field <name>', 'field of the id', fieldDefaults.idField)
    .option('--vector-field <name>', 'field of a vector of your own', fieldDefaults.vectorField)
    .option('--metadata-fields <names>', 'the only fields that become metadata', list)
    .option('--prune', 'also delete the chunks of text files that are no longer among the sources')
    .option('--collection <name>', 'name of this set of text files, where an index holds several')
    .option('--dry-run', 'with text files: count only, change nothing')
    .option('--watch', 'stay, and add what changes, until Ctrl-C')
    .option('--batch-size <number>', 'documents that are committed together', positiveInteger, 512);
  withModelFlags(command);
  withCommonFlags(command, [
    'add my-index docs README.md',
    'add my-index "notes/**/*.md" --prune --watch',
    'add my-index tickets.csv --text-field body --id-field number',
    'cat questions.jsonl | semantic-index add my-index - --format jsonl --json',
  ]).action((folder: string, names: string[], flags: AddFlags & CommonFlags & ModelFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      await using opened = await openIndex(folder, flags, terminal, { create: true });
      const sources = new AddedSources(opened.index, flags, terminal, signal);
      if (flags.watch === true) await watchSources(names, sources, terminal, signal);
      else {
        const total = await sources.add(names);
        terminal.result({ ...total, watching: false }, sources.describe(total));
      }
      return undefined;
    }),
  );
}
