import { type Command, Option } from 'commander';
import { fieldDefaults } from './document-fields.js';
import { textEndings } from './find-files.js';
import { recordFormats } from './read-records.js';

const list = (text: string): string[] => text.split(',').filter((part) => part !== '');

/** Adds the flags that tell what sources are: their format, their fields, the set that they belong to. */
export function withSourceFlags(command: Command): Command {
  return command
    .addOption(
      new Option('-f, --format <format>', 'format of the files; default: by their endings').choices(recordFormats),
    )
    .addOption(
      new Option('--ext <endings>', 'endings of the files taken from folders')
        .argParser(list)
        .default(textEndings, textEndings.join(',')),
    )
    .option('--text-field <name>', 'field of the text in JSONL, CSV and TSV', fieldDefaults.textField)
    .option('--id-field <name>', 'field of the id', fieldDefaults.idField)
    .option('--vector-field <name>', 'field of a vector of your own', fieldDefaults.vectorField)
    .option('--metadata-fields <names>', 'the only fields that become metadata', list)
    .option('--collection <name>', 'name of this set of text files, where an index holds several');
}
