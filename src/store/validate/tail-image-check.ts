import { join } from 'node:path';
import type { Metric } from '../../types.js';
import type { TailImageRow } from '../catalog/tail/tail-images-table.js';
import { entryAt, kindOf } from '../directory/files.js';
import { isSegmentName, tailFile } from '../directory/segment-names.js';

/** What a tail image must fit, and whether all of its bytes are compared. */
export interface TailImageCheck {
  readonly level: 'quick' | 'full';
  readonly metric: Metric;
  readonly dimensions: number;
}

/** The fault of a tail image, or undefined; a missing one, as in a backup, is none. `full` compares all checksums. */
export async function tailImageFault(
  image: TailImageRow,
  directory: string,
  { level, metric, dimensions }: TailImageCheck,
): Promise<string | undefined> {
  if (!isSegmentName(image.file)) return `${JSON.stringify(image.file)} is not the name of a tail image`;
  const name = tailFile(image.file);
  const path = join(directory, name);
  const found = await entryAt(path);
  if (found === undefined) return undefined;
  if (!found.isFile()) return `${name} is ${kindOf(found)}`;
  if (found.size !== image.bytes) return `${name} has ${found.size} bytes instead of ${image.bytes}`;
  if (level === 'quick') return undefined;
  // Loaded on demand: threads that do not validate start sooner without it.
  const { readTailImage } = await import('../../search/tail-image.js');
  const { vectors, terms, checksum } = await readTailImage(path, metric, dimensions);
  vectors.close();
  terms.close();
  return checksum === image.checksum ? undefined : `${name} is not the file that was written`;
}
