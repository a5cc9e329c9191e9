import type { NativeColumnRows, NativeColumnsSnapshot } from '../../../addon/native-columns.js';
import type { Field } from '../../../backend/filter-tree.js';
import { decodeDictionary, none, unknown } from '../../../columns/column-dictionary.js';
import { readColumn } from '../../../columns/columns.js';
import { type FieldColumn, FieldColumnBuilder, itemsPerLook } from '../../../columns/field-column.js';
import { reachedBy } from '../../../columns/filter-program.js';
import { reachedValues } from '../../../columns/reached-values.js';
import { TimeSlice } from '../../../time-slice.js';
import { type Bitset, createBitset, hasItem } from '../../../vectors/bitset.js';
import type { Catalog } from '../../catalog/catalog.js';
import { keyAt, type SortedKeys } from '../../catalog/sorted-keys.js';
import type { PartColumns } from '../part-columns.js';

/** Fields of a part that are kept in memory. */
const maxKept = 16;
const documentsPerTurn = 32;

/** Fields of one part at one state of its metadata. */
interface KeptFields {
  readonly version: number;
  readonly fields: Map<string, Promise<FieldColumn>>;
  /** Those of them that were read. */
  readonly read: Map<string, FieldColumn>;
}

const kept = new WeakMap<PartColumns, KeptFields>();

/**
 * The values of a field in all items of a part, as the columns have them now. What columns do not represent is read from the
 * catalog. Kept until the metadata of the part changes.
 */
export function fieldColumnOf(
  part: PartColumns,
  snapshot: NativeColumnsSnapshot,
  field: Field,
  keys: SortedKeys,
  catalog: Catalog,
): Promise<FieldColumn> {
  let known = kept.get(part);
  if (known?.version !== part.version) {
    known = { version: part.version, fields: new Map(), read: new Map() };
    kept.set(part, known);
  }
  const { fields, read } = known;
  const found = fields.get(field.name);
  if (found !== undefined) return found;
  const [oldest] = fields.keys();
  if (fields.size === maxKept && oldest !== undefined) {
    fields.delete(oldest);
    read.delete(oldest);
  }
  // Others may wait for it, so it does not end with the signal of this call.
  const column = readField(snapshot, field, keys, catalog);
  fields.set(field.name, column);
  column.then(
    (values) => {
      if (fields.get(field.name) === column) read.set(field.name, values);
    },
    () => fields.delete(field.name),
  );
  return column;
}

/** The values of a field in some parts, as `fieldColumnOf` gives them; undefined unless all of them were read. */
export function keptColumns(parts: readonly PartColumns[], field: Field): readonly FieldColumn[] | undefined {
  const columns: FieldColumn[] = [];
  for (const part of parts) {
    const known = kept.get(part);
    const column = known?.version === part.version ? known.read.get(field.name) : undefined;
    if (column === undefined) return undefined;
    columns.push(column);
  }
  return columns;
}

/** Whether the values of a field were read, or are being read, for the metadata that a part has now. */
export function isFieldKept(part: PartColumns, field: Field): boolean {
  const known = kept.get(part);
  return known?.version === part.version && known.fields.has(field.name);
}

/** Forgets what was read from files that were not sound. */
export function forgetFields(parts: readonly PartColumns[]): void {
  for (const part of parts) kept.delete(part);
}

/** A path of the field, with its values. */
interface ReadPath {
  readonly rows: NativeColumnRows;
  /** For each id the number of its value, or one of the marks. */
  readonly numbers: Int32Array;
  /** Whether the field ends here; otherwise it goes on in the objects of what is here. */
  readonly isEnd: boolean;
}

const [noValue, unknownValue, someValue] = [-1, -2, -3];

async function readField(
  snapshot: NativeColumnsSnapshot,
  field: Field,
  keys: SortedKeys,
  catalog: Catalog,
): Promise<FieldColumn> {
  const { items } = snapshot;
  const slice = new TimeSlice();
  const builder = new FieldColumnBuilder(items);
  const paths: ReadPath[] = [];
  for (const place of reachedBy(field.readings)) {
    const rows = await readColumn(snapshot, place.path);
    if (rows.ids.length === 0 && rows.unknown === undefined) continue;
    const values = await decodeDictionary(rows.values, rows.valueCount, slice);
    const numbers = new Int32Array(values.length);
    for (let id = 0; id < values.length; id++) {
      if (id % itemsPerLook === 0 && slice.due()) await slice.yieldIfDue();
      const value = values[id];
      if (value === unknown) numbers[id] = unknownValue;
      else if (place.kind !== 'value') numbers[id] = place.kind === 'element' ? someValue : noValue;
      else numbers[id] = value === none || value === undefined ? noValue : builder.numberOf(value as string);
    }
    // An element of a list is not in a column by its place.
    paths.push({ rows, numbers, isEnd: place.kind === 'value' });
  }
  const uncertain = await uncertainItems(items, paths, slice);
  for (let item = 0; item < items; item++) {
    if (item % itemsPerLook === 0 && slice.due()) await slice.yieldIfDue();
    if (uncertain !== undefined && hasItem(uncertain, item)) {
      if (item % documentsPerTurn === 0 && slice.due()) await slice.yieldIfDue();
      for (const value of catalogValues(field, keys, item, catalog)) builder.add(builder.numberOf(value));
    } else {
      for (const { rows, numbers, isEnd } of paths) {
        if (!isEnd) continue;
        const end = rows.ends[item] as number;
        for (let place = item === 0 ? 0 : (rows.ends[item - 1] as number); place < end; place++) {
          const number = numbers[rows.ids[place] as number] as number;
          if (number >= 0) builder.add(number);
        }
      }
    }
    builder.next();
  }
  return builder.column();
}

/** Items whose values only the catalog has; undefined when there are none. */
async function uncertainItems(
  items: number,
  paths: readonly ReadPath[],
  slice: TimeSlice,
): Promise<Bitset | undefined> {
  let uncertain: Bitset | undefined;
  const mark = (item: number): void => {
    uncertain ??= createBitset(items, false);
    uncertain[item >>> 5] = (uncertain[item >>> 5] as number) | (1 << (item & 31));
  };
  for (const { rows, numbers } of paths) {
    const { unknown: undescribed } = rows;
    const hasDoubts = numbers.some((number) => number === unknownValue || number === someValue);
    if (undescribed === undefined && !hasDoubts) continue;
    let begin = 0;
    for (let item = 0; item < items; item++) {
      if (item % itemsPerLook === 0 && slice.due()) await slice.yieldIfDue();
      const end = rows.ends[item] as number;
      if (undescribed !== undefined && hasItem(undescribed, item)) mark(item);
      for (let place = begin; place < end && hasDoubts; place++) {
        if ((numbers[rows.ids[place] as number] as number) < noValue) mark(item);
      }
      begin = end;
    }
  }
  return uncertain;
}

function catalogValues(
  field: Field,
  keys: SortedKeys,
  item: number,
  catalog: Catalog,
): ReturnType<typeof reachedValues> {
  if (item >= keys.offsets.length) return [];
  const [document] = catalog.documents.byKeys([keyAt(keys, item)]);
  const metadata = document?.metadata;
  return metadata === null || metadata === undefined ? [] : reachedValues(JSON.parse(metadata), field.readings);
}
