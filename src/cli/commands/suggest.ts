import type { Command } from 'commander';
import type { Where } from '../../index.js';
import { positiveInteger } from '../arguments.js';
import { counted } from '../counted.js';
import { condition } from '../flags/where-condition.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags } from '../terminal.js';

/** Nothing is embedded. */
const noModel = { model: 'none' };

/** `suggest`: completions of a text that is being typed. */
export function addSuggest(program: Command): void {
  interface SuggestFlags extends CommonFlags {
    readonly where?: Where;
    readonly limit: number;
  }
  const command = program
    .command('suggest')
    .description('complete the last word of a text with words of the documents')
    .argument('<index>', 'directory of the index')
    .argument('<text...>', 'what was typed so far')
    .option('-w, --where <condition>', 'FIELD=VALUE (also !=, >, >=, <, <=) or JSON; several must all hold', condition)
    .option('--limit <number>', 'maximum number of suggestions', positiveInteger, 10);
  withCommonFlags(command, ['suggest my-index quiet har', 'suggest my-index har --where lang=en --json']).action(
    (folder: string, words: string[], flags: SuggestFlags) =>
      perform(flags, async ({ terminal, signal }) => {
        const { where, limit } = flags;
        await using opened = await openIndex(folder, noModel, terminal, { readonly: true });
        const suggestions = await opened.index.suggest(words.join(' '), { where, limit, signal });
        terminal.result(
          { suggestions },
          suggestions.map(
            ({ text, documents }) => `${terminal.style('bold', text)}  ${counted(documents, 'document')}`,
          ),
        );
        return undefined;
      }),
  );
}
