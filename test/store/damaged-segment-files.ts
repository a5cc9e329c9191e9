import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { expect } from 'vitest';
import type { IndexEvent, SemanticIndex } from '../../src/index.js';

/** The files of segments with this ending, by name. */
export function segmentFiles(index: string, ending: string): string[] {
  const segments = join(index, 'segments');
  const names = readdirSync(segments).filter((name) => name.endsWith(ending));
  return names.sort().map((name) => join(segments, name));
}

/** Changes one bit of a byte. */
export function flip(path: string, place: number): void {
  const bytes = readFileSync(path);
  bytes[place] = (bytes[place] as number) ^ 0x10;
  writeFileSync(path, bytes);
}

/** Replaces a file by that of another segment. */
function swap(path: string): void {
  const [one, other] = segmentFiles(dirname(dirname(path)), extname(path)) as [string, string];
  writeFileSync(path, readFileSync(path === one ? other : one));
}

/** What can happen to a file of a segment, and the type of event that reports it; `missing` when the file is gone. */
export function fileDamages(missing: IndexEvent['type']): [what: string, IndexEvent['type'], (path: string) => void][] {
  return [
    ['is removed', missing, (path) => rmSync(path)],
    ['is empty', 'damage', (path) => truncateSync(path, 0)],
    ['is cut short', 'damage', (path) => truncateSync(path, statSync(path).size - 1)],
    ['has another first byte', 'damage', (path) => flip(path, 0)],
    ['has another byte in the middle', 'damage', (path) => flip(path, Math.floor(statSync(path).size / 2))],
    ['has another last byte', 'damage', (path) => flip(path, statSync(path).size - 1)],
    ['is that of another segment', 'damage', swap],
  ];
}

/** The checks of a full validation that failed; the index as a whole has to be valid. */
export async function failedChecks(index: SemanticIndex): Promise<string[]> {
  const { valid, checks } = await index.validate({ level: 'full' });
  expect(valid).toBe(true);
  return checks.filter(({ passed, severity }) => !passed && severity !== 'info').map(({ check }) => check);
}
