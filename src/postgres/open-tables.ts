import { SemanticIndexError } from '../errors.js';
import type { Database, Statements } from './connection/database.js';
import { currentFormat, listTables, openSchema, type SchemaNames } from './connection/schema.js';
import type { VectorMetric } from './search/vector-search.js';
import { settingNames } from './tables/settings-table.js';
import { TermLists } from './tables/term-lists.js';

/** Finds the tables of an index, in the current format, or creates them; see `openSchema` for errors. */
export async function openTables(
  database: Database,
  name: string,
  options: { readonly create: boolean; readonly readonly: boolean; readonly metric: VectorMetric | undefined },
): Promise<{ readonly names: SchemaNames; readonly metric: VectorMetric }> {
  const { create, readonly, metric } = options;
  const { names, format } = await openSchema(database, name, {
    create: create && !readonly,
    metric: metric ?? 'angular',
  });
  if (format < currentFormat) {
    if (readonly) {
      throw new SemanticIndexError('READ_ONLY', `The index has the earlier format ${format}`, {
        hint: 'Open it once without `readonly`: its postings are written again, once.',
      });
    }
    await database.write((statements) => migrateFormat(statements, names, new TermLists(database, names)));
  }
  return { names, metric: await storedMetric(database, names, metric) };
}

/** Replaces the counts of terms of format 1 by postings. */
async function migrateFormat(statements: Statements, names: SchemaNames, lists: TermLists): Promise<void> {
  const settings = names.table('settings');
  // Writers of format 1 hold this row, and find their tables gone afterwards.
  await statements.query(`SELECT 1 FROM ${settings} WHERE name = 'writer' FOR UPDATE`);
  const [row] = await statements.query(`SELECT value FROM ${settings} WHERE name = 'format'`);
  if (row?.value !== '1') return;
  await statements.query(
    `DROP TABLE ${names.quoted}.term_counts; DROP INDEX ${names.quoted}.postings_by_term; ${listTables(names)};
     DELETE FROM ${settings} WHERE name = 'writer';
     UPDATE ${settings} SET value = '${currentFormat}' WHERE name = 'format'`,
  );
  await lists.rewrite(statements);
}

/** The metric is part of the index: another one is refused. */
async function storedMetric(database: Database, names: SchemaNames, asked: string | undefined): Promise<VectorMetric> {
  const [row] = await database.alone(
    `SELECT value FROM ${names.table('settings')} WHERE name = '${settingNames.metric}'`,
  );
  const metric = JSON.parse(row?.value ?? 'null') as VectorMetric;
  if (asked === undefined || asked === metric) return metric;
  throw new SemanticIndexError('INVALID_ARGUMENT', `The index has the metric ${metric}, not ${asked}`, {
    hint: 'Leave out `metric`: an index keeps the one it was made with.',
  });
}
