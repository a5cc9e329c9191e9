import type { SegmentRow } from '../catalog/segment-table.js';
import { openColumnsFile } from '../directory/derived-files.js';
import { columnsFile } from '../directory/segment-names.js';

/** The fault of the columns file of a segment, or undefined. `full` compares all of its bytes. */
export async function columnsFileFault(
  row: SegmentRow,
  directory: string,
  level: 'quick' | 'full',
): Promise<string | undefined> {
  if (row.columns_size === null) return `${row.file} has no columns file yet`;
  const columns = await openColumnsFile(directory, row, level === 'full' ? 'structure' : 'untouched');
  columns?.close();
  return columns === undefined ? `${columnsFile(row.file)} is missing` : undefined;
}
