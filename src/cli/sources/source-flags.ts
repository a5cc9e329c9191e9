import { type Command, InvalidArgumentError, Option } from 'commander';
import { encodingNamed } from '../../analysis/decode-text.js';
import { fieldDefaults } from './document-fields.js';
import { folderEndings } from './find-files.js';
import { recordFormats } from './record-format.js';

const list = (text: string): string[] => text.split(',').filter((part) => part !== '');

const encoding = (text: string): string => {
  try {
    return encodingNamed(text, '--encoding');
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}. ${(error as { hint: string }).hint}`);
  }
};

/** Adds the flags that tell what sources are: their format, their fields, the set that they belong to. */
export function withSourceFlags(command: Command): Command {
  return command
    .addOption(
      new Option('-f, --format <format>', 'format of the files; default: by their endings').choices(recordFormats),
    )
    .addOption(
      new Option('--ext <endings>', 'endings of the files taken from directories')
        .argParser(list)
        .default(folderEndings, 'documents and source code, see docs/files.md'),
    )
    .option(
      '--text-field <name>',
      'field of the text in JSONL, CSV and TSV; several, as title,body, where the index has fields of text',
      fieldDefaults.textField,
    )
    .option('--id-field <name>', 'field of the id', fieldDefaults.idField)
    .option('--vector-field <name>', 'field of a vector of your own', fieldDefaults.vectorField)
    .option('--metadata-fields <names>', 'the only fields that become metadata', list)
    .option('--number-fields <names>', 'columns of CSV and TSV that are numbers, even if written as 1.50 or 007', list)
    .addOption(
      new Option(
        '--on-invalid <action>',
        'with a record that is not a document: end with an error, or leave it out and go on',
      )
        .choices(['error', 'skip'])
        .default('error'),
    )
    .option('--encoding <name>', 'encoding of files that are not Unicode, such as windows-1252 or shift_jis', encoding)
    .option('--collection <name>', 'name of this set of text files, where an index holds several');
}
