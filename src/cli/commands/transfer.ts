import { copyFile, lstat } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { copyIndex } from '../../index.js';
import { exportFolder } from '../../store/export-folder.js';
import { counted } from '../counted.js';
import { exitCodes } from '../exit-codes.js';
import { notePath } from '../noted-model.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags } from '../terminal.js';

const noModel = { model: 'none' };
/** Lost documents that are listed without --json. */
const listed = 20;

/** `export`: a directory, one Annoy file, or JSON lines on stdout. */
export function addExport(program: Command): void {
  interface ExportFlags extends CommonFlags {
    readonly format: 'jsonl' | 'annoy';
    readonly as?: string;
  }
  const command = program
    .command('export')
    .description('write all documents and vectors into files of common formats')
    .argument('<index>', 'directory of the index')
    .argument('[target]', 'directory or file to write; without it JSON lines go to stdout')
    .addOption(
      new Option('--format <format>', 'jsonl: a directory with documents.jsonl and vectors.npy; annoy: one Annoy file')
        .choices(['jsonl', 'annoy'])
        .default('jsonl'),
    )
    .addOption(new Option('--as <kind>').hideHelp());
  withCommonFlags(command, [
    'export my-index my-export',
    'export my-index vectors.ann --format annoy',
    'export my-index | gzip > my-index.jsonl.gz',
  ]).action((folder: string, target: string | undefined, flags: ExportFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      const { format } = flags;
      if (target === undefined && format === 'annoy') command.error("error: missing argument 'target'");
      await using opened = await openIndex(folder, noModel, terminal, { readonly: true });
      const { index } = opened;
      if (target === undefined) {
        for await (const { id, text, metadata, vector } of index.documents()) {
          signal.throwIfAborted();
          terminal.line(JSON.stringify({ id, text, metadata, vector: [...vector] }));
          if (process.stdout.writableNeedDrain)
            await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
        }
        return undefined;
      }
      const bar = terminal.startProgress();
      const { onProgress } = bar;
      const { documents, lost } = await index
        .exportTo(target, { format, signal, onProgress })
        .finally(() => bar.stop());
      terminal.result({ documents, target, lost }, [
        `Wrote ${counted(documents, 'document')} to ${target}.`,
        ...lost.slice(0, listed).map(({ id, firstKey, lastKey, reason }) => {
          return `lost  ${id === undefined ? `keys ${firstKey} to ${lastKey}` : JSON.stringify(id)}: ${reason}`;
        }),
        ...(lost.length > listed ? [`… and ${lost.length - listed} more; --json lists all.`] : []),
      ]);
      return lost.length === 0 ? undefined : exitCodes.findings;
    }),
  );
}

interface ImportFlags extends CommonFlags {
  readonly partial?: boolean;
}

/** `import`: what `export` wrote. */
export function addImport(program: Command): void {
  const command = program
    .command('import')
    .description('add the documents of a directory that export wrote; nothing is embedded')
    .argument('<index>', 'directory of the index; created if missing')
    .argument('<source>', 'directory that export wrote')
    .option('--partial', 'also import an export that lacks documents, as its index was damaged');
  withCommonFlags(command, ['import my-copy my-export']).action((folder: string, source: string, flags: ImportFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      // Read before an index is made for it.
      const { metric } = await exportFolder.readManifest(source);
      await using opened = await openIndex(folder, noModel, terminal, { create: true, metric });
      const bar = terminal.startProgress();
      const { onProgress } = bar;
      const { ids, ...result } = await opened.index
        .importFrom(source, { signal, onProgress, partial: flags.partial })
        .finally(() => bar.stop());
      const { added, updated, unchanged } = result;
      terminal.result({ documents: ids.length, ...result }, [
        `${counted(ids.length, 'document')}: ${added} new, ${updated} changed, ${unchanged} unchanged.`,
      ]);
      return undefined;
    }),
  );
}

/** `copy`: into another index, which may be in PostgreSQL. */
export function addCopy(program: Command): void {
  const command = program
    .command('copy')
    .description('copy all documents and vectors into another index; nothing is embedded, and a repeated copy goes on')
    .argument('<index>', 'directory of the index, or its address in PostgreSQL: postgres://host/database#name')
    .argument('<target>', 'directory or address of the other index; created if missing');
  withCommonFlags(command, [
    'copy my-index postgres://app@db.example.com/app#articles',
    'copy postgres://app@db.example.com/app#articles my-index',
  ]).action((from: string, to: string, flags: CommonFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      await using source = await openIndex(from, noModel, terminal, { readonly: true });
      const { metric } = await source.index.stats();
      await using target = await openIndex(to, noModel, terminal, { create: true, metric });
      const bar = terminal.startProgress();
      const { onProgress } = bar;
      const result = await copyIndex(source.index, target.index, { signal, onProgress }).finally(() => bar.stop());
      const { documents, added, updated, unchanged, checksum } = result;
      terminal.result({ ...result }, [
        `${counted(documents, 'document')}: ${added} new, ${updated} changed, ${unchanged} unchanged. Compared: checksum ${checksum}.`,
      ]);
      return undefined;
    }),
  );
}

/** `backup`: a copy of an index in use. */
export function addBackup(program: Command): void {
  const command = program
    .command('backup')
    .description('write a consistent copy of an index that is in use')
    .argument('<index>', 'directory of the index')
    .argument('<target>', 'directory to create; it appears once it is complete');
  withCommonFlags(command, ['backup my-index backups/monday']).action(
    (folder: string, target: string, flags: CommonFlags) =>
      perform(flags, async ({ terminal }) => {
        await using opened = await openIndex(folder, noModel, terminal, { readonly: true });
        await opened.index.backup(target);
        // A link would bring in what lies outside of the index.
        const noted = await lstat(notePath(folder)).catch(() => undefined);
        if (noted?.isFile()) await copyFile(notePath(folder), notePath(target));
        const documents = await opened.index.count();
        terminal.result({ target, documents }, [`${target} is a copy of ${folder}.`]);
        return undefined;
      }),
  );
}
