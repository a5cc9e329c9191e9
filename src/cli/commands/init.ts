import type { Command } from 'commander';
import type { Metric } from '../../index.js';
import { fieldWeights } from '../arguments.js';
import { counted } from '../counted.js';
import { type LanguageFlags, withLanguageFlags } from '../flags/language-flags.js';
import { type ModelFlags, withModelFlags } from '../model-choice.js';
import { noteModel } from '../noted-model.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags } from '../terminal.js';

interface InitFlags extends CommonFlags, ModelFlags, LanguageFlags {
  readonly metric?: Metric;
  readonly textFields?: Readonly<Record<string, number>>;
  readonly textTemplate?: string;
}

/** `init`: makes an index and notes its model. */
export function addInit(program: Command): void {
  const command = program
    .command('init')
    .description('create an index in an empty or missing directory')
    .argument('<index>', 'directory of the index')
    .option('--metric <metric>', 'angular (the default), euclidean, manhattan or dot')
    .option('--text-fields <weights>', 'fields of the texts with their weights, such as title=3,body=1', fieldWeights)
    .option('--text-template <template>', 'what is embedded of them, such as "{title}: {body}"');
  withLanguageFlags(command, 'en');
  withModelFlags(command);
  withCommonFlags(command, [
    'init my-index',
    'init my-index --model openai:text-embedding-3-small',
    'init my-index --model openai:nomic-embed-text --base-url http://localhost:11434/v1',
    'init my-vectors --model none --metric euclidean',
    'init my-index --language de',
    'init my-index --text-fields title=3,body=1',
  ]).action((folder: string, flags: InitFlags) =>
    perform(flags, async ({ terminal }) => {
      const { metric: chosen, language, languageField, textFields, textTemplate } = flags;
      const texts = { language, languageField, textFields, textTemplate };
      const options = { create: true, ...(chosen !== undefined && { metric: chosen }), ...texts };
      await using opened = await openIndex(folder, flags, terminal, options);
      const { documents, metric } = await opened.index.stats();
      const notNoted = await noteModel(folder, opened.model);
      const model = opened.model.model ?? 'bundled';
      terminal.result({ index: folder, model, metric, documents }, [
        `${folder} is an index of ${counted(documents, 'document')}, for the model ${model} and the metric ${metric}.`,
      ]);
      if (notNoted !== undefined) terminal.note(`${notNoted.message}. ${notNoted.hint}`);
      terminal.note(`Next: semantic-index add ${folder} FILES`);
      return undefined;
    }),
  );
}
