import { addon } from '../../addon/addon.js';
import type { SemanticIndexError } from '../../errors.js';
import type { ColumnsMissingEvent, DamageEvent, TermsMissingEvent } from '../../types.js';
import type { AddedSegment } from '../catalog/catalog.js';
import type { SegmentRow } from '../catalog/segment-table.js';
import type { SortedKeys } from '../catalog/sorted-keys.js';
import { columnsFile, termsFile } from '../directory/segment-names.js';
import type { CatalogClient } from '../writer/catalog-client.js';
import { NativeParts, RefCounted, type SearchableSegment, withoutKeys } from './searchable-segment.js';
import type { Damage, SegmentContext } from './segment-context.js';
import type { VectorSource } from './segment-vectors.js';
import { lostColumns, openStoredColumns } from './stored-columns.js';
import type { SegmentTerms } from './stored-file.js';
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
  // The files are opened at the same time; what is wrong with them is entered in their order.
  const [ofVectors, ofTerms, ofColumns] = [new Faults(context), new Faults(context), new Faults(context)];
  // The same object for vectors and terms: it shows that their items are the same.
  const own = keysOf(added);
  const opening = openStoredVectors(added, own, context, (damage) => ofVectors.report(damage));
  const [vectors, terms, columns] = await Promise.all([
    opening,
    own !== undefined
      ? openStoredTerms({ row, keys: () => allOf(own), directory, reader }, (error) =>
          ofTerms.report(error === undefined ? termsMissing(row) : damagedTerms(row, error)),
        )
      : opening.then(async (vectors) => vectors && analyzedTerms(await vectors.source(), reader)),
    own !== undefined
      ? openStoredColumns(row, own, directory, (error) =>
          ofColumns.report(error === undefined ? columnsMissing(row) : damagedColumns(row, error)),
        )
      : lostColumns('damaged'),
  ]);
  if (vectors === undefined || terms === undefined) {
    terms?.close();
    columns.close();
    return undefined;
  }
  const keys = own ?? (await vectors.source()).keys;
  damages.push(...[ofVectors, ofTerms, ofColumns].flatMap((faults) => faults.open()));
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

/** What is wrong with a file: kept until its segment is open, and reported to the context from then on. */
class Faults {
  readonly #context: SegmentContext;
  #found: Damage[] | undefined = [];

  constructor(context: SegmentContext) {
    this.#context = context;
  }

  report(damage: Damage): void {
    if (this.#found === undefined) this.#context.onDamage(damage);
    else this.#found.push(damage);
  }

  /** What was found so far. */
  open(): readonly Damage[] {
    const found = this.#found ?? [];
    this.#found = undefined;
    return found;
  }
}

/** The terms of a segment whose items are known from its vectors alone. */
function analyzedTerms({ keys }: VectorSource, reader: CatalogClient): SegmentTerms {
  return TermsInMemory.ofSegment(reader, allOf(keys), 'damaged');
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
