import { stat } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import {
  type DocumentId,
  type Duplicate,
  type DuplicateMeasure,
  type Duplicates,
  findDuplicates,
  type Representative,
  SemanticIndexError,
  type Where,
} from '../../index.js';
import { finiteNumber, positiveInteger } from '../arguments.js';
import { counted } from '../counted.js';
import { few } from '../few.js';
import { condition } from '../flags/where-condition.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import { dedupeFile } from '../sources/dedupe-file.js';
import type { OnInvalid } from '../sources/record-checks.js';
import { formatOf } from '../sources/record-format.js';
import type { CommonFlags, Terminal } from '../terminal.js';

interface DedupeFlags extends CommonFlags {
  readonly threshold?: number;
  readonly measure?: DuplicateMeasure;
  readonly where?: Where;
  readonly near?: boolean;
  readonly representative: Representative;
  readonly exact?: boolean;
  readonly against?: string;
  readonly apply?: 'delete' | 'link';
  readonly show: number;
  readonly text: string;
  readonly output?: string;
  readonly report?: string;
  readonly encoding?: string;
  readonly onInvalid: OnInvalid;
}

const noModel = { model: 'none' };

/** `dedupe`: finds duplicate documents. */
export function addDedupe(program: Command): void {
  const command = program
    .command('dedupe')
    .description(
      'find duplicate documents of an index, or records of a file; changes nothing without --apply or --output',
    )
    .argument('<index>', 'directory of the index, or a file: .csv, .tsv, .jsonl or .ndjson')
    .option('-t, --threshold <number>', 'minimum probability (default 0.7), or similarity (default 0.9)', finiteNumber)
    .addOption(
      new Option('--measure <which>', 'what decides: the words of two texts, or their vectors alone').choices([
        'probability',
        'similarity',
      ]),
    )
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
    .option('--show <number>', 'groups that are printed', positiveInteger, 10)
    .option('--text <column>', 'of a file: column or member that holds the text', 'text')
    .option('--output <file>', 'of a file: write the records without the duplicates')
    .option('--report <file>', 'of a file: write the duplicates, with what differs, as CSV')
    .addOption(
      new Option(
        '--on-invalid <action>',
        'with a record of a file that has no text: end with an error, or leave it out',
      )
        .choices(['error', 'skip'])
        .default('error'),
    )
    .option('--encoding <name>', 'of a file that is not Unicode: its encoding, such as windows-1252');
  withCommonFlags(command, [
    'dedupe my-index',
    'dedupe my-index --threshold 0.9 --representative longest --apply delete',
    'dedupe new-tickets --against old-tickets --json',
    'dedupe in.csv --text title --output out.csv --report report.csv',
  ]).action((folder: string, flags: DedupeFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      if (await isFile(folder)) {
        await dedupeRecords(folder, flags, terminal, signal);
        return undefined;
      }
      const { threshold, measure, where, near = true, representative, exact = false, apply, show } = flags;
      await using opened = await openIndex(folder, noModel, terminal, { readonly: apply === undefined });
      await using other =
        flags.against === undefined ? undefined : await openIndex(flags.against, noModel, terminal, { readonly: true });
      const { index } = opened;
      const bar = terminal.startProgress();
      try {
        const { onProgress } = bar;
        const options = {
          threshold,
          measure,
          where,
          near,
          representative,
          exact,
          against: other?.index,
          signal,
          onProgress,
        };
        const duplicates = await findDuplicates(index, options);
        const { groups, documents, ratio } = duplicates;
        const shown = await groupLines(duplicates, show, String, (text) => terminal.style('bold', text));
        const changed = apply === undefined ? undefined : await duplicates.apply(apply, { signal, onProgress });
        bar.stop();
        const count = duplicates.ids.length;
        const lines = [
          `${counted(documents, 'document')}, ${counted(count, 'duplicate')} in ${counted(groups.length, 'group')} (${(ratio * 100).toFixed(1)} %)`,
          ...shown,
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

async function isFile(path: string): Promise<boolean> {
  if (formatOf(path) === undefined) return false;
  return stat(path).then(
    (found) => found.isFile(),
    () => true, // Missing: reading it fails with the reason.
  );
}

async function dedupeRecords(path: string, flags: DedupeFlags, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const unusable = (['where', 'against', 'apply', 'exact'] as const).find((name) => flags[name] !== undefined);
  if (unusable !== undefined) {
    throw new SemanticIndexError('INVALID_ARGUMENT', `--${unusable} is for an index, and ${path} is a file`, {
      hint: 'Add the file to an index first: semantic-index add.',
    });
  }
  const { text, output, report, encoding, onInvalid, show } = flags;
  const { threshold, measure, near = true, representative } = flags;
  const bar = terminal.startProgress();
  let shown: string[] = [];
  try {
    const { onProgress } = bar;
    const finding = { threshold, measure, near, representative, signal, onProgress };
    const options = { text, output, report, encoding, onInvalid, ...finding };
    const result = await dedupeFile(path, options, async (duplicates, lines) => {
      const lineOf = (record: DocumentId): string => `line ${lines[record as number]}`;
      shown = await groupLines(duplicates, show, lineOf, (text) => terminal.style('bold', text));
    });
    bar.stop();
    const { rows, duplicates, groups, kept, invalid } = result;
    terminal.result(result, [
      `${counted(rows, 'record')}, ${counted(duplicates, 'duplicate')} in ${counted(groups, 'group')}`,
      ...shown,
      ...(groups > show ? [`… and ${counted(groups - show, 'more group')}: --show or --report`] : []),
      ...few(invalid, ({ message }) => `Left out: ${message}`),
      ...(kept === undefined ? [] : [`Wrote ${counted(kept, 'record')} to ${output}.`]),
      ...(report === undefined ? [] : [`Wrote ${counted(duplicates, 'duplicate')} to ${report}.`]),
    ]);
  } finally {
    bar.stop();
  }
}

/** The first groups: each representative, and its duplicates with the words that they lack and have more. */
async function groupLines(
  duplicates: Duplicates,
  show: number,
  named: (id: DocumentId) => string,
  emphasize: (text: string) => string,
): Promise<string[]> {
  const lines: string[] = [];
  for (const { representative, duplicates: members } of duplicates.groups.slice(0, show)) {
    lines.push(emphasize(named(representative)));
    for (const member of members) lines.push(await memberLine(duplicates, member, named));
  }
  return lines;
}

const maxShown = 160;

async function memberLine(
  duplicates: Duplicates,
  { id, kind, value }: Duplicate,
  named: (id: DocumentId) => string,
): Promise<string> {
  const line = `  ${value.toFixed(3)}  ${kind.padEnd(10)}  ${named(id)}`;
  if (kind !== 'near') return line;
  const { removed, added } = await duplicates.explain(id);
  const change = [...removed.map((words) => `-${words}`), ...added.map((words) => `+${words}`)].join('  ');
  return `${line}  ${change.length > maxShown ? `${change.slice(0, maxShown)}…` : change}`;
}
