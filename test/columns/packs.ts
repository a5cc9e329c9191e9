import { createColumns, filterColumns, snapshotOf } from '../../src/columns/columns.js';
import { compileFilterProgram } from '../../src/columns/filter-program.js';
import { MetadataPacker } from '../../src/columns/metadata-packer.js';
import { parseFilter } from '../../src/operations/parse-filter.js';

/** The key of the first document of a batch; the others follow by twos. */
export const firstKey = 100;

/** Packs metadata as JSON, null for none. */
export function pack(rows: readonly (string | null)[]): Uint8Array {
  const packer = new MetadataPacker();
  for (const [position, row] of rows.entries()) packer.add(firstKey + 2 * position, row);
  return packer.take();
}

/** Columns in memory with the metadata of these documents. */
export function columnsOf(documents: readonly object[]): ReturnType<typeof createColumns> {
  const columns = createColumns();
  columns.append(pack(documents.map((document) => JSON.stringify(document))), firstKey, undefined);
  return columns;
}

/** The items that match for certain, and those that the columns cannot decide. */
export async function filtered(columns: ReturnType<typeof createColumns>, where: object) {
  const snapshot = snapshotOf(columns);
  const [found] = await filterColumns([snapshot], compileFilterProgram(parseFilter(where)));
  snapshot.close();
  if (found === undefined) throw new Error('expected a result for the part');
  const certain = itemsOf(found.certain);
  const possible = found.possible === undefined ? certain : itemsOf(found.possible);
  return { certain, undecided: possible.filter((item) => !certain.includes(item)) };
}

export function itemsOf(set: Uint32Array): number[] {
  return Array.from({ length: 32 * set.length }, (_, item) => item).filter((item) => hasItem(set, item));
}

export function hasItem(set: Uint32Array, item: number): boolean {
  return (((set[item >> 5] as number) >>> (item & 31)) & 1) === 1;
}
