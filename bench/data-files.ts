import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file of the data that is not there. The message names it. */
export class MissingData extends Error {}

/** The text of a file below a folder of data; also of one that xz has compressed. */
export function readData(data: string, file: string): string {
  const path = join(data, file);
  if (existsSync(path)) return readFileSync(path, 'utf8');
  if (!existsSync(`${path}.xz`)) throw new MissingData(`${path} is missing`);
  return execFileSync('xz', ['--decompress', '--stdout', `${path}.xz`], { encoding: 'utf8', maxBuffer: 2 ** 30 });
}

/** The records of a file of JSON lines below a folder of data. */
export function readRows<T>(data: string, file: string): T[] {
  return readData(data, file)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
