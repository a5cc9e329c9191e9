import type { Command } from 'commander';

/** Flags of commands for the language of an index. */
export interface LanguageFlags {
  readonly language?: string;
  readonly languageField?: string;
}

/** Adds the flags. @param otherwise what holds without `--language`. */
export function withLanguageFlags(command: Command, otherwise: string): Command {
  return command
    .option('--language <code>', `language of the texts, such as de, or auto to detect it (default: ${otherwise})`)
    .option('--language-field <field>', 'field of the metadata that names the language of a document');
}
