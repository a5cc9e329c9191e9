import { addon } from '../../addon/addon.js';
import type { SemanticIndexError } from '../../errors.js';
import type { ColumnsMissingEvent, DamageEvent, TermsMissingEvent } from '../../types.js';
import type { AddedSegment } from '../catalog/catalog.js';
import type { SegmentRow } from '../catalog/segment-table.js';
import type { SortedKeys } from '../catalog/sorted-keys.js';
import { columnsFile, termsFile } from '../directory/segment-names.js';
import { NativeParts, RefCounted, type SearchableSegment, withoutKeys } from './searchable-segment.js';
import type { Damage, SegmentContext } from './segment-context.js';
import { lostColumns, openStoredColumns } from './stored-columns.js';
import { openStoredTerms } from './stored-terms.js';
import { openStoredVectors } from './stored-vectors.js';
import { TermsInMemory } from './terms-in-memory.js';

/**
 * Opens a segment for searching. What is wrong with its files is entered into `damages`, or reported to the context if it is
 * found later.
 *
 * @returns undefined when the segment was replaced meanwhile, and its files with it.
 */
export async function openSegment(
  added: AddedSegment,
  context: SegmentContext,
  damages: Damage[],
): Promise<SearchableSegment | undefined> {
  const { row } = added;
  const { directory, reader } = context;
  let report = (damage: Damage): void => void damages.push(damage);
  // The same object for vectors and terms: it shows that their items are the same.
  const own = keysOf(added);
  const vectors = await openStoredVectors(added, own, context, (damage) => report(damage));
  if (vectors === undefined) return undefined;
  const keys = own ?? (await vectors.source()).keys;
  const terms =
    own !== undefined
      ? await openStoredTerms({ row, keys: () => allOf(keys), directory, reader }, (error) =>
          report(error === undefined ? termsMissing(row) : damagedTerms(row, error)),
        )
      : TermsInMemory.ofSegment(reader, allOf(keys), 'damaged');
  const columns =
    own !== undefined
      ? await openStoredColumns(row, keys, directory, (error) =>
          report(error === undefined ? columnsMissing(row) : damagedColumns(row, error)),
        )
      : lostColumns('damaged');
  report = context.onDamage;
  const parts = new NativeParts(keys);
  const shared = new RefCounted(() => {
    parts.close();
    vectors.close();
    terms.close();
    columns.close();
  });
  const { segment, first_key: firstKey, last_key: lastKey } = row;
  const opened = {
    segment,
    firstKey,
    lastKey,
    keys,
    alive: undefined,
    dead: 0,
    vectors,
    terms,
    columns,
    parts,
    shared,
  };
  return withoutKeys(opened, added.deadKeys);
}

/** The keys of the items; undefined unless the catalog has an ascending key for each. */
function keysOf({ row, offsets }: AddedSegment): SortedKeys | undefined {
  if (offsets.length !== row.items) return undefined;
  return addon().isAscending(offsets) ? { first: row.first_key, offsets } : undefined;
}

function allOf({ first, offsets }: SortedKeys): Float64Array {
  return Float64Array.from(offsets, (offset) => first + offset);
}

function termsMissing({ file, items }: SegmentRow): TermsMissingEvent {
  const message = `There is no ${termsFile(file)}; ${items} texts are analyzed before the first search for words`;
  return { type: 'terms-missing', file: `segments/${file}`, message };
}

function damagedTerms({ file, items }: SegmentRow, error: SemanticIndexError): DamageEvent {
  const { message: reason } = error;
  const message = `${reason}; ${items} texts are analyzed before the next search for words`;
  return { type: 'damage', file: `segments/${termsFile(file)}`, reason, message, error };
}

function columnsMissing({ file, items }: SegmentRow): ColumnsMissingEvent {
  const message = `${columnsFile(file)} is missing; the metadata of ${items} documents is read for the first filters`;
  return { type: 'columns-missing', file: `segments/${file}`, message };
}

function damagedColumns({ file, items }: SegmentRow, error: SemanticIndexError): DamageEvent {
  const { message: reason } = error;
  const message = `${reason}; the metadata of ${items} documents is read for the next filters`;
  return { type: 'damage', file: `segments/${columnsFile(file)}`, reason, message, error };
}
