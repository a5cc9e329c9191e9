import type { Command } from 'commander';
import { SemanticIndexError } from '../../index.js';
import { notedModel } from '../noted-model.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags } from '../terminal.js';
import { needsTrust, trustModel } from '../trusted-models.js';

/** `trust`: allows the model that an index from someone else names. */
export function addTrust(program: Command): void {
  const command = program
    .command('trust')
    .description('allow the model that an index directory names: its address, the key it gets, or what it loads')
    .argument('<index>', 'directory of the index');
  withCommonFlags(command, ['trust downloaded-index']).action((folder: string, flags: CommonFlags) =>
    perform(flags, async ({ terminal }) => {
      const noted = await notedModel(folder);
      if (noted === undefined) {
        throw new SemanticIndexError('NOT_FOUND', `${folder} names no model`, {
          hint: 'There is nothing to trust: the bundled model is used. Name another with --model.',
        });
      }
      const { model = 'bundled', baseUrl, apiKeyEnv } = noted;
      if (needsTrust(noted)) await trustModel(noted);
      const key = apiKeyEnv ?? 'OPENAI_API_KEY';
      const address = baseUrl === undefined ? '' : ` at ${baseUrl}`;
      const consequence = model.startsWith('openai') ? `: the value of ${key} and your texts are sent there` : '';
      terminal.result({ index: folder, ...noted }, [`${folder} may use ${model}${address}${consequence}.`]);
      return undefined;
    }),
  );
}
