import type { Command } from 'commander';
import type { Facet, FacetFields, FacetOptions, Where } from '../../index.js';
import { positiveInteger } from '../arguments.js';
import { condition } from '../flags/where-condition.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags, Terminal } from '../terminal.js';

interface FacetFlags extends CommonFlags {
  readonly where?: Where;
  readonly limit: number;
}

const intervals = /^(.+):(hour|day|week|month|quarter|year)$/s;

/** `facets`: how many documents have each value of a field. */
export function addFacets(program: Command): void {
  const command = program
    .command('facets')
    .description('count documents by the values of fields')
    .argument('<index>', 'directory of the index')
    .argument(
      '<fields...>',
      'fields of the metadata; FIELD:month counts dates by hour, day, week, month, quarter or year',
    )
    .option('-w, --where <condition>', 'FIELD=VALUE (also !=, >, >=, <, <=) or JSON; several must all hold', condition)
    .option('--limit <number>', 'maximum number of values of each field', positiveInteger, 20);
  withCommonFlags(command, ['facets my-index source tags --where lang=en', 'facets my-index date:month --json']).action(
    (folder: string, names: string[], flags: FacetFlags) =>
      perform(flags, async ({ terminal, signal }) => {
        const { where, limit } = flags;
        await using opened = await openIndex(folder, { model: 'none' }, terminal, { readonly: true });
        const result = await opened.index.facets({ fields: fieldsOf(names, limit), where, signal });
        terminal.result(
          result,
          Object.entries(result.facets).flatMap(([field, facet]) => linesOf(field, facet, terminal)),
        );
        return undefined;
      }),
  );
}

/** The fields that arguments name: a field or a field with a calendar interval. */
export function fieldsOf(names: readonly string[], limit: number): FacetFields {
  return Object.fromEntries(
    names.map((name): [string, FacetOptions] => {
      const [, field, interval] = intervals.exec(name) ?? [];
      return field === undefined ? [name, { limit }] : [field, { limit, interval: interval as 'month' }];
    }),
  );
}

/** A facet for display. */
export function linesOf(field: string, { counts, distinct, missing }: Facet, terminal: Terminal): string[] {
  const width = Math.max(...counts.map(({ count }) => String(count).length), 1);
  return [
    terminal.style('bold', field),
    ...counts.map(({ value, count }) => `  ${String(count).padStart(width)}  ${String(value)}`),
    ...(distinct > counts.length ? [`  … ${distinct - counts.length} more`] : []),
    ...(missing > 0 ? [`  ${String(missing).padStart(width)}  (without)`] : []),
  ];
}
