import { type Command, Option } from 'commander';
import { type DocumentId, findDuplicates, type Representative, type Where } from '../../index.js';
import { finiteNumber, positiveInteger } from '../arguments.js';
import { counted } from '../counted.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags } from '../terminal.js';
import { condition } from '../where-condition.js';

interface DedupeFlags extends CommonFlags {
  readonly threshold: number;
  readonly where?: Where;
  readonly near?: boolean;
  readonly representative: Representative;
  readonly exact?: boolean;
  readonly against?: string;
  readonly apply?: 'delete' | 'link';
  readonly show: number;
}

const noModel = { model: 'none' };

/** `dedupe`: finds duplicate documents. */
export function addDedupe(program: Command): void {
  const command = program
    .command('dedupe')
    .description('find duplicate documents; changes nothing without --apply')
    .argument('<index>', 'directory of the index')
    .option('-t, --threshold <number>', 'minimum similarity of duplicates', finiteNumber, 0.9)
    .option('-w, --where <condition>', 'FIELD=VALUE (also !=, >, >=, <, <=) or JSON; several must all hold', condition)
    .option('--no-near', 'only the same words, not the same meaning')
    .addOption(
      new Option('--representative <which>', 'document of a group that stays')
        .choices(['first', 'longest', 'central'])
        .default('first'),
    )
    .option('--exact', 'compare all vectors, in quadratic time')
    .option('--against <index>', 'find documents that this other index has too')
    .addOption(new Option('--apply <action>', 'delete the duplicates, or link them').choices(['delete', 'link']))
    .option('--show <number>', 'groups that are printed', positiveInteger, 10);
  withCommonFlags(command, [
    'dedupe my-index',
    'dedupe my-index --threshold 0.95 --representative longest --apply delete',
    'dedupe new-tickets --against old-tickets --json',
  ]).action((folder: string, flags: DedupeFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      const { threshold, where, near = true, representative, exact = false, apply, show } = flags;
      await using opened = await openIndex(folder, noModel, terminal, { readonly: apply === undefined });
      await using other =
        flags.against === undefined ? undefined : await openIndex(flags.against, noModel, terminal, { readonly: true });
      const { index } = opened;
      const bar = terminal.startProgress();
      try {
        const { onProgress } = bar;
        const options = { threshold, where, near, representative, exact, against: other?.index, signal, onProgress };
        const duplicates = await findDuplicates(index, options);
        const { groups, documents, ratio } = duplicates;
        const changed = apply === undefined ? undefined : await duplicates.apply(apply, { signal, onProgress });
        bar.stop();
        const count = duplicates.ids.length;
        const lines = [
          `${counted(documents, 'document')}, ${counted(count, 'duplicate')} in ${counted(groups.length, 'group')} (${(ratio * 100).toFixed(1)} %)`,
          ...groups
            .slice(0, show)
            .flatMap((group) => [
              terminal.style('bold', String(group.representative)),
              ...group.duplicates.map(
                ({ id, kind, similarity }) => `  ${similarity.toFixed(3)}  ${kind.padEnd(10)}  ${named(id)}`,
              ),
            ]),
          ...(groups.length > show ? [`… and ${counted(groups.length - show, 'more group')}: --show or --json`] : []),
          ...(changed === undefined
            ? []
            : apply === 'link'
              ? [`Linked ${counted(changed, 'document')}.`]
              : [
                  `Deleted ${counted(changed, 'document')}. add leaves them out until their text changes; --restore-duplicates of add undoes that.`,
                ]),
        ];
        const result = { documents, duplicates: count, ratio, groups };
        terminal.result(changed === undefined ? result : { ...result, apply, changed }, lines);
      } finally {
        bar.stop();
      }
      return undefined;
    }),
  );
}

function named(id: DocumentId): string {
  return String(id);
}
