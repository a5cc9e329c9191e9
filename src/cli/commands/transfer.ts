import { copyFile, lstat } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { counted } from '../counted.js';
import { exitCodes } from '../exit-codes.js';
import { notePath } from '../noted-model.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags } from '../terminal.js';

const noModel = { model: 'none' };
/** Lost documents that are listed without --json. */
const listed = 20;

/** `export`: a folder, one Annoy file, or JSON lines on stdout. */
export function addExport(program: Command): void {
  interface ExportFlags extends CommonFlags {
    readonly as: 'folder' | 'ann' | 'jsonl';
  }
  const command = program
    .command('export')
    .description('write all documents and vectors into files of common formats')
    .argument('<index>', 'folder of the index')
    .argument('[target]', 'the folder or file to write; with jsonl none: stdout')
    .addOption(
      new Option('--as <kind>', 'folder: documents.jsonl and vectors.npy; ann: one file for annoy; jsonl: to stdout')
        .choices(['folder', 'ann', 'jsonl'])
        .default('folder'),
    );
  withCommonFlags(command, [
    'export my-index my-export',
    'export my-index vectors.ann --as ann',
    'export my-index --as jsonl | gzip > my-index.jsonl.gz',
  ]).action((folder: string, target: string | undefined, flags: ExportFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      if ((target === undefined) !== (flags.as === 'jsonl')) {
        command.error(flags.as === 'jsonl' ? 'error: jsonl goes to stdout' : "error: missing argument 'target'");
      }
      await using opened = await openIndex(folder, noModel, terminal, { readonly: true });
      const { index } = opened;
      if (target === undefined) {
        for await (const { id, text, metadata, vector } of index.exportDocuments()) {
          signal.throwIfAborted();
          terminal.line(JSON.stringify({ id, text, metadata, vector: [...vector] }));
          if (process.stdout.writableNeedDrain)
            await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
        }
        return undefined;
      }
      const bar = terminal.startProgress();
      const { onProgress } = bar;
      const work =
        flags.as === 'ann'
          ? index.exportAnn(target).then((documents) => ({ documents, lost: [] }))
          : index.exportTo(target, { signal, onProgress });
      const { documents, lost } = await work.finally(() => bar.stop());
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
    .description('add the documents of a folder that export wrote; nothing is embedded')
    .argument('<index>', 'folder of the index; made when it is missing')
    .argument('<source>', 'folder that export wrote')
    .option('--partial', 'also import an export that lacks documents, as its index was damaged');
  withCommonFlags(command, ['import my-copy my-export']).action((folder: string, source: string, flags: ImportFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      await using opened = await openIndex(folder, noModel, terminal, { create: true });
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

/** `backup`: a copy of an index in use. */
export function addBackup(program: Command): void {
  const command = program
    .command('backup')
    .description('copy an index as it is at one moment, while it is in use')
    .argument('<index>', 'folder of the index')
    .argument('<target>', 'folder to make; it appears when it is complete');
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
