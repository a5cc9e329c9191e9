import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { finiteNumber, positiveInteger } from '../arguments.js';
import { counted } from '../counted.js';
import { type ModelFlags, providerOf, withModelFlags } from '../model-choice.js';
import { noteModel } from '../noted-model.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import { readLines } from '../sources/read-source.js';
import type { CommonFlags } from '../terminal.js';

interface TuneFlags extends CommonFlags, ModelFlags {
  readonly recall: number;
  readonly k: number;
  readonly queries?: string;
  readonly svg?: string;
  readonly trees?: number[];
  readonly dryRun?: boolean;
}

/** `tune`: measures recall and chooses the search settings. */
export function addTune(program: Command): void {
  const command = program
    .command('tune')
    .description('measure recall and time of searches, and store the fastest setting that reaches the recall')
    .argument('<index>', 'directory of the index')
    .option('--recall <share>', 'share of the true nearest neighbors to find, up to 1', finiteNumber, 0.95)
    .option('-k, --k <number>', 'neighbors per search', positiveInteger, 10)
    .option('--queries <file>', 'typical queries, one per line; default: derived from the documents')
    .option('--svg <file>', 'also plot recall over time into this file')
    .option('--trees <numbers>', 'also compare forests with these numbers of trees, such as 4,8,16', listOfTrees)
    .option('--dry-run', 'measure without storing the result');
  withModelFlags(command);
  withCommonFlags(command, [
    'tune my-index --recall 0.98',
    'tune my-index --queries asked.txt --svg recall.svg',
    'tune my-index --trees 4,8,16 --dry-run',
  ]).action((folder: string, flags: TuneFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      const { recall, k, queries: file, svg: target, trees, dryRun = false } = flags;
      const queries = file === undefined ? undefined : await readLines(file);
      await using opened = await openIndex(folder, flags, terminal, { readonly: dryRun });
      const bar = terminal.startProgress();
      const { onProgress } = bar;
      const options = { recall, k, queries, trees, dryRun, signal, onProgress };
      const { svg, ...result } = await opened.index.tune(options).finally(() => bar.stop());
      if (target !== undefined) await writeFile(target, svg);
      const { tuning, curve } = result;
      const setting = (point: { exact: boolean; searchK: number | undefined }): string =>
        point.exact ? 'exact' : `searchK ${point.searchK}`;
      const lines = curve.map(
        (point) =>
          `${setting(point).padEnd(16)} recall ${point.recall.toFixed(4)}  ${point.milliseconds.toFixed(2)} ms`,
      );
      const chosen =
        `Chosen: ${setting(tuning)}, recall ${tuning.recall.toFixed(4)} (at least ${tuning.low.toFixed(4)} with ` +
        `${(tuning.confidence * 100).toFixed(0)} % confidence), ${tuning.milliseconds.toFixed(2)} ms a search`;
      const table = result.trees.map(
        (point) =>
          `${counted(point.trees, 'tree').padEnd(16)} recall ${point.recall.toFixed(4)}  ${point.milliseconds.toFixed(2)} ms at ` +
          `searchK ${point.searchK}, built in ${(point.buildMilliseconds / 1000).toFixed(1)} s, ${(point.bytes / 1e6).toFixed(1)} MB`,
      );
      terminal.result(result, [
        ...lines,
        ...table,
        chosen,
        ...(dryRun ? ['Nothing was kept: this was a dry run.'] : []),
      ]);
      return undefined;
    }),
  );
}

function listOfTrees(text: string): number[] {
  return text.split(',').map(positiveInteger);
}

/** `migrate`: moves an index to another model while it is in use. */
export function addMigrate(program: Command): void {
  interface MigrateFlags extends CommonFlags, ModelFlags {
    readonly cutOver?: boolean;
  }
  const command = program
    .command('migrate')
    .description('embed all documents with another model, then switch the index to it')
    .argument('<index>', 'directory of the index')
    .option('--no-cut-over', 'embed only; a later call switches at once');
  withModelFlags(command);
  withCommonFlags(command, ['migrate my-index --model openai:text-embedding-3-small']).action(
    (folder: string, flags: MigrateFlags) =>
      perform(flags, async ({ terminal, signal }) => {
        if (flags.model === undefined) command.error("error: required option '--model <model>' not specified");
        // Nothing is embedded with the model that the index is of, which may not exist any more.
        await using opened = await openIndex(folder, { model: 'none' }, terminal);
        const provider = providerOf(flags);
        if (provider === null) return command.error('error: a model is what an index is moved to, not none');
        const bar = terminal.startProgress();
        try {
          const { cutOver = true } = flags;
          const { onProgress } = bar;
          const result = await opened.index.migrate(provider, { cutOver, signal, onProgress });
          bar.stop();
          const notNoted = result.cutOver || result.from === result.to ? await noteModel(folder, flags) : undefined;
          if (notNoted !== undefined) terminal.note(`${notNoted.message}. ${notNoted.hint}`);
          const { documents, embedded, reused, from, to } = result;
          if (from === to) {
            terminal.result(result, [`The index is of ${to} already: there is nothing to move.`]);
            return undefined;
          }
          terminal.result(result, [
            `${counted(documents, 'document')}: ${embedded} embedded, ${reused} known. ` +
              (result.cutOver
                ? `The index is of ${to} now.`
                : 'The index has not moved yet: call migrate without --no-cut-over.'),
          ]);
        } finally {
          bar.stop();
          await provider.close?.();
        }
        return undefined;
      }),
  );
}
