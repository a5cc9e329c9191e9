import { type Command, Option } from 'commander';
import type { IndexStats } from '../../index.js';
import { counted } from '../counted.js';
import { exitCodes } from '../exit-codes.js';
import { type ModelFlags, withModelFlags } from '../model-choice.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags } from '../terminal.js';

const noModel = { model: 'none' };

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** `stats`: statistics of an index. */
export function addStats(program: Command): void {
  const command = program
    .command('stats')
    .description('print statistics of an index: documents, model, segments, sizes')
    .argument('<index>', 'directory of the index');
  withCommonFlags(command, ['stats my-index', 'stats my-index --json | jq .documents']).action(
    (folder: string, flags: CommonFlags) =>
      perform(flags, async ({ terminal }) => {
        await using opened = await openIndex(folder, noModel, terminal, { readonly: true });
        const stats = await opened.index.stats();
        terminal.result(stats, statsLines(stats));
        return undefined;
      }),
  );
}

function statsLines(stats: IndexStats): string[] {
  const { documents, dimensions, metric, provider, segments, tail, bytes, instructionSet, tuning } = stats;
  return [
    `documents        ${documents}`,
    `model            ${provider ?? 'none yet'}`,
    `vectors          ${dimensions ?? 'none yet'}${dimensions === undefined ? '' : ' dimensions'}, ${metric}`,
    `size             ${megabytes(bytes.database)} database, ${megabytes(bytes.segments)} segments`,
    `instruction set  ${instructionSet}`,
    `recall           ${tuning === undefined ? 'not measured: semantic-index tune' : tuned(tuning)}`,
    `segments         ${segments.length}, and ${counted(tail, 'document')} without a forest`,
    ...segments.map(
      ({ file, items, dead, trees, bytes: size, damaged }) =>
        `  ${file}  ${counted(items, 'item')}, ${dead} of them deleted, ${counted(trees, 'tree')}, ${megabytes(size)}${damaged ? ', DAMAGED' : ''}`,
    ),
  ];
}

function tuned({ exact, searchK, low, k, confidence, measuredAt, drifted }: NonNullable<IndexStats['tuning']>): string {
  const way = exact ? 'exact search' : `searchK ${searchK}`;
  const sure = `at least ${low.toFixed(3)} of the ${k} nearest with ${(confidence * 100).toFixed(0)} % confidence`;
  return `${sure}, by ${way}; measured ${measuredAt.slice(0, 10)}${drifted ? ', and the index has changed much since' : ''}`;
}

/** `validate`: looks for damage. */
export function addValidate(program: Command): void {
  const command = program
    .command('validate')
    .description('check for damage; only reads, and exits with 3 if it finds an error')
    .argument('<index>', 'directory of the index')
    .option('--full', 'read everything and compare all checksums');
  withCommonFlags(command, ['validate my-index', 'validate my-index --full --json']).action(
    (folder: string, flags: CommonFlags & { full?: boolean }) =>
      perform(flags, async ({ terminal }) => {
        await using opened = await openIndex(folder, noModel, terminal, { readonly: true });
        const report = await opened.index.validate({ level: flags.full === true ? 'full' : 'quick' });
        const lines = report.checks.map(({ check, passed, severity, message, hint }) => {
          const mark = passed ? terminal.style('green', 'ok     ') : terminal.style('red', severity.padEnd(7));
          return `${mark}  ${check}: ${message}${passed || hint === undefined ? '' : `\n         ${hint}`}`;
        });
        terminal.result(report, [...lines, report.valid ? 'The index is valid.' : 'The index is damaged.']);
        return report.valid ? undefined : exitCodes.findings;
      }),
  );
}

/** `optimize`: builds and merges segments, and returns freed space. */
export function addOptimize(program: Command): void {
  const command = program
    .command('optimize')
    .description('build and merge segments, drop deleted documents, and return freed space')
    .argument('<index>', 'directory of the index')
    .option('--full', 'rewrite all documents into a single segment');
  withCommonFlags(command, ['optimize my-index', 'optimize my-index --full']).action(
    (folder: string, flags: CommonFlags & { full?: true }) =>
      perform(flags, async ({ terminal, signal }) => {
        await using opened = await openIndex(folder, noModel, terminal, { ann: { background: false } });
        const bar = terminal.startProgress();
        const { onProgress } = bar;
        const result = await opened.index.optimize({ full: flags.full, signal, onProgress }).finally(() => bar.stop());
        const { items, vectors, segments, bytesBefore, bytesAfter } = result;
        terminal.result(result, [
          `${counted(segments, 'segment')}. Dropped ${counted(items, 'item')} and ${counted(vectors, 'vector')}: ${megabytes(bytesBefore)} before, ${megabytes(bytesAfter)} after.`,
        ]);
        return undefined;
      }),
  );
}

/** `rebuild`: rebuilds the segments from the catalog. */
export function addRebuild(program: Command): void {
  const command = program
    .command('rebuild')
    .description('rebuild the segments of an index')
    .argument('<index>', 'directory of the index')
    .addOption(
      new Option('--from <what>', 'vectors: segments from the stored vectors; texts: embed the texts again first')
        .choices(['vectors', 'texts'])
        .default('vectors'),
    );
  withModelFlags(command);
  withCommonFlags(command, ['rebuild my-index', 'rebuild my-index --from texts']).action(
    (folder: string, flags: CommonFlags & ModelFlags & { from: 'vectors' | 'texts' }) =>
      perform(flags, async ({ terminal, signal }) => {
        const model = flags.from === 'texts' ? flags : noModel;
        await using opened = await openIndex(folder, model, terminal, { ann: { background: false } });
        const bar = terminal.startProgress();
        const { onProgress } = bar;
        await opened.index.rebuild({ from: flags.from, signal, onProgress }).finally(() => bar.stop());
        const stats = await opened.index.stats();
        terminal.result({ from: flags.from, ...stats }, [
          `Derived ${counted(stats.segments.length, 'segment')} again from the ${flags.from} of ${counted(stats.documents, 'document')}.`,
        ]);
        return undefined;
      }),
  );
}
