import type { Command } from 'commander';
import { matchesAll } from '../../backend/filter-tree.js';
import type { DocumentId, SortOptions, Where } from '../../index.js';
import { SemanticIndexError } from '../../index.js';
import { parseFilter } from '../../operations/parse-filter.js';
import { existingIds, positiveInteger } from '../arguments.js';
import { counted } from '../counted.js';
import { sortArgument } from '../flags/boost-argument.js';
import { condition } from '../flags/where-condition.js';
import { noteUnknownFields } from '../note-unknown-fields.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags } from '../terminal.js';

// No command here embeds anything: they open the index without a model.
const noModel = { model: 'none' };

/** `list`: documents, oldest first. */
export function addList(program: Command): void {
  interface ListFlags extends CommonFlags {
    readonly where?: Where;
    readonly limit: number;
    readonly after?: string;
    readonly sort?: SortOptions;
  }
  const command = program
    .command('list')
    .description('print documents, oldest first')
    .argument('<index>', 'directory of the index')
    .option('-w, --where <condition>', 'FIELD=VALUE (also !=, >, >=, <, <=) or JSON; several must all hold', condition)
    .option('--limit <number>', 'maximum number of documents', positiveInteger, 20)
    .option('--sort <field>', 'order by a field: FIELD, FIELD:asc or FIELD:desc; default: oldest first', sortArgument)
    .option('--after <next>', 'cursor of the previous page');
  withCommonFlags(command, [
    'list my-index --where lang=en',
    'list my-index --sort date:desc',
    'list my-index --limit 1000 --json',
  ]).action((folder: string, flags: ListFlags) =>
    perform(flags, async ({ terminal }) => {
      const { where, limit, after, sort } = flags;
      await using opened = await openIndex(folder, noModel, terminal, { readonly: true });
      const page = await opened.index.listDocuments({ where, limit, after, sort });
      const lines = page.documents.map(({ id, text }) => {
        const beginning = text.replace(/\s+/g, ' ').slice(0, Math.max(20, terminal.width - String(id).length - 2));
        return `${terminal.style('bold', String(id))}  ${beginning}`;
      });
      if (lines.length === 0) await noteUnknownFields(opened.index, where, terminal);
      terminal.result(page, lines);
      if (page.next !== undefined) terminal.note(`More: --after ${page.next}`);
      return undefined;
    }),
  );
}

/** `delete`: documents by their ids, or all that match. */
export function addDelete(program: Command): void {
  interface DeleteFlags extends CommonFlags {
    readonly where?: Where;
    readonly all?: boolean;
    readonly dryRun?: boolean;
  }
  const command = program
    .command('delete')
    .description('delete documents by their ids, those that match a condition, or all of them')
    .argument('<index>', 'directory of the index')
    .argument('[ids...]', 'ids of the documents')
    .option('-w, --where <condition>', 'FIELD=VALUE (also !=, >, >=, <, <=) or JSON; several must all hold', condition)
    .option('--all', 'every document of the index')
    .option('--dry-run', 'count without deleting');
  withCommonFlags(command, [
    'delete my-index returns 12',
    'delete my-index --where source=docs/old.md',
    'delete my-index --where \'{"year":{"$lt":2000}}\' --dry-run',
    'delete my-index --all',
  ]).action((folder: string, texts: string[], flags: DeleteFlags) =>
    perform(flags, async ({ terminal }) => {
      const { where, all = false, dryRun = false } = flags;
      if (Number(where !== undefined) + Number(texts.length > 0) + Number(all) !== 1) {
        throw new SemanticIndexError('INVALID_ARGUMENT', 'delete: expected ids, --where or --all, one of the three', {
          hint: 'semantic-index delete my-index --where source=docs/old.md',
        });
      }
      if (where !== undefined && matchesAll(parseFilter(where))) {
        throw new SemanticIndexError('INVALID_FILTER', 'delete: expected a condition, got one that matches all', {
          hint: 'Give --all to delete all documents.',
        });
      }
      await using opened = await openIndex(folder, noModel, terminal, { readonly: dryRun });
      const { index } = opened;
      const ids: DocumentId[] = await existingIds(index, texts);
      const selection = all ? ({ all } as const) : where === undefined ? ids : { where };
      const counting = async (): Promise<number> => (texts.length > 0 ? ids.length : index.count({ where }));
      const deleted = dryRun ? await counting() : await index.deleteDocuments(selection);
      if (deleted === 0) await noteUnknownFields(index, where, terminal);
      terminal.result({ deleted, dryRun }, [`${dryRun ? 'Would delete' : 'Deleted'} ${counted(deleted, 'document')}.`]);
      return undefined;
    }),
  );
}
