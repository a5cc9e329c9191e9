import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { AnnoyIndex } from '../../src/vectors/annoy/annoy-index.js';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/annoy-api.md', root), 'utf8');

/** The rows of the page's tables: theirs, ours, tests. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('|') && !line.startsWith('|---'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  .filter(([, , test]) => test !== 'test');

const tests = fileURLToPath(new URL('test/', root));
const testFiles = readdirSync(tests, { recursive: true, encoding: 'utf8' });

function testFileOf(name: string): string {
  const file = testFiles.find((path) => basename(path) === basename(name));
  if (file === undefined) throw new Error(`${name} is missing in ${tests}`);
  return join(tests, file);
}

function membersOf(cell: string): string[] {
  return [...cell.matchAll(/`(?:\w+\.)?(\w+)\(/g)].map((match) => match[1] as string);
}

describe('docs/annoy-api.md', () => {
  it('has a row for every method of the Python package', () => {
    const theirs = rows.map(([cell]) => cell).join('\n');
    for (const name of [
      'add_item build get_distance get_item_vector get_n_items get_n_trees get_nns_by_item get_nns_by_vector load',
      'on_disk_build save set_seed unbuild unload verbose',
    ]
      .join(' ')
      .split(' ')) {
      expect(theirs).toContain(`\`${name}(`);
    }
  });

  it.each(rows)('%s is %s, shown by %s', (_, ours, tests) => {
    for (const member of membersOf(ours as string)) {
      const known = member === 'AnnoyIndex' || member in AnnoyIndex.prototype || member in AnnoyIndex;
      expect(known, `AnnoyIndex has no ${member}`).toBe(true);
    }
    const files = [...(tests as string).matchAll(/`([^`]+)`/g)].map((match) => testFileOf(match[1] as string));
    // The tests of a row use what the row names.
    const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
    for (const member of files.length > 0 ? membersOf(ours as string) : []) {
      expect(text).toMatch(new RegExp(`\\b${member}\\b`));
    }
  });
});
