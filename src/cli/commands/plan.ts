import { type Command, Option } from 'commander';
import { type AddPlan, SemanticIndexError } from '../../index.js';
import { nonNegativeNumber } from '../arguments.js';
import { counted } from '../counted.js';
import { type ModelFlags, withModelFlags } from '../model-choice.js';
import { type OpenedIndex, openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import { plannedDocuments, type SourceFlags } from '../sources/planned-documents.js';
import { withSourceFlags } from '../sources/source-flags.js';
import type { CommonFlags, Terminal } from '../terminal.js';

interface PlanFlags extends CommonFlags, ModelFlags, SourceFlags {
  readonly pricePerMillionTokens?: number;
}

/** `plan`: what an `add` would embed, and what that costs. */
export function addPlan(program: Command): void {
  const command = program
    .command('plan')
    .description('estimate an add: texts to embed, tokens, cost and time; embeds and changes nothing')
    .argument('<index>', 'directory of the index; it may be missing')
    .argument('<sources...>', 'files, directories, quoted patterns, or - for stdin')
    .option('--price-per-million-tokens <number>', 'for an estimate of the cost; in any currency', nonNegativeNumber)
    .addOption(new Option('--price <number>').hideHelp());
  withSourceFlags(command);
  withModelFlags(command);
  withCommonFlags(command, [
    'plan my-index docs README.md',
    'plan my-index tickets.csv --text-field body --model openai:text-embedding-3-small --price-per-million-tokens 0.02',
    'plan my-index docs --json',
  ]).action((folder: string, names: string[], flags: PlanFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      await using opened = await openOrImagine(folder, { ...flags, keyless: true }, terminal);
      const documents = plannedDocuments(opened.index, folder, names, flags, (line) => terminal.note(line), signal);
      const { pricePerMillionTokens } = flags;
      const plan = await opened.index.plan(documents, { pricePerMillionTokens, signal });
      terminal.result(plan, linesOf(plan));
      if (pricePerMillionTokens !== undefined && !/^openai/.test(opened.model.model ?? 'bundled')) {
        terminal.note(
          'The cost is that of a service at this price: the model of the index runs on this machine for nothing.',
        );
      }
      return undefined;
    }),
  );
}

/** The index in a folder; where there is none, an empty one that leaves nothing behind. */
async function openOrImagine(folder: string, flags: ModelFlags, terminal: Terminal): Promise<OpenedIndex> {
  try {
    return await openIndex(folder, flags, terminal, { readonly: true });
  } catch (error) {
    if (!SemanticIndexError.is(error) || error.code !== 'NOT_AN_INDEX') throw error;
    return openIndex(':memory:', flags, terminal, { create: true });
  }
}

function linesOf(plan: AddPlan): string[] {
  const { documents, changed, unchanged, cached, embed, tokens, counted: exact, cost, seconds } = plan;
  const lines = [
    `documents  ${documents.toLocaleString('en')}: ${plan.new} new, ${changed} changed, ${unchanged} unchanged`,
    `to embed   ${counted(embed, 'text')} of ${exact ? '' : 'about '}${counted(tokens, 'token')}; vectors known: ${cached}`,
  ];
  if (cost !== undefined) lines.push(`cost       ${costInWords(cost)}`);
  if (seconds !== undefined && embed > 0)
    lines.push(`time       about ${seconds < 1 ? 'a second' : `${Math.round(seconds)} s`}`);
  return lines;
}

/** Two significant digits, without an exponent. */
function costInWords(cost: number): string {
  if (cost === 0 || cost >= 0.01) return cost.toFixed(2);
  return cost.toFixed(Math.min(20, 1 - Math.floor(Math.log10(cost))));
}
