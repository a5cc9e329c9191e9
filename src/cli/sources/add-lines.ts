import { counted } from '../counted.js';
import { few } from '../few.js';
import type { AddTotal } from './added-sources.js';

/** The result of an `add` as lines of text. */
export function addLines(total: AddTotal): string[] {
  const { files, records, milliseconds } = total;
  const seconds = `${(milliseconds / 1000).toFixed(1)} s`;
  const lines: string[] = [];
  if (files !== undefined) {
    const { sources, chunks, embedded, dryRun } = files;
    const all = sources.added + sources.updated + sources.unchanged;
    const gone = sources.deleted - total.otherNames;
    lines.push(
      `${counted(all, 'file')}: ${sources.added} new, ${sources.updated} changed, ${sources.unchanged} unchanged` +
        (gone > 0 ? `, ${gone} gone` : ''),
      `${counted(chunks.added + chunks.updated + chunks.unchanged, 'chunk')}: ${chunks.added} new, ${chunks.updated} changed, ` +
        `${chunks.unchanged} unchanged, ${chunks.deleted} deleted; ${embedded} embedded, in ${seconds}`,
    );
    if (dryRun) lines.push('Nothing was written: this was a dry run.');
  }
  if (records !== undefined) {
    const { added, updated, unchanged, embedded } = records;
    lines.push(
      `${counted(added + updated + unchanged, 'document')}: ${added} new, ${updated} changed, ${unchanged} unchanged; ` +
        `${embedded} embedded, in ${seconds}`,
    );
  }
  const duplicates = (files?.duplicates ?? 0) + (records?.leftOut ?? 0);
  if (duplicates > 0) {
    lines.push(
      `Left out ${counted(duplicates, 'duplicate')} that dedupe deleted before: --restore-duplicates adds them again`,
    );
  }
  if (total.otherNames > 0) {
    lines.push(`Removed ${counted(total.otherNames, 'source')} that were other names of the same files`);
  }
  return [
    ...lines,
    ...few(total.barren, ({ name, leftOut }) => barrenLine(name, leftOut)),
    ...few(total.skipped, (path) => `Skipped, as it is not text: ${path}`),
    ...few(total.undecodable, ({ path, reason }) => `Skipped ${path}: ${reason}; name its encoding with --encoding`),
    ...few(total.unparsed, ({ path, reason, hint }) => `Skipped ${path}: ${reason}. ${hint}`),
    ...total.missing.map(
      ({ packages, paths }) =>
        `Skipped ${counted(paths.length, 'file')} that need an optional package, such as ${paths[0]}: npm install ${packages}`,
    ),
    ...few(total.unreadable, ({ path, reason }) => `Could not read ${path}: ${reason}; what the index has of it stays`),
    ...few(total.kept, ({ source, reason }) => `Not pruned: ${source}: ${reason}`),
    ...few(total.invalid, ({ message }) => `Left out: ${message}`),
  ];
}

function barrenLine(name: string, leftOut: Readonly<Record<string, number>>): string {
  const kinds = Object.entries(leftOut).sort(([, a], [, b]) => b - a);
  if (kinds.length === 0) return `There is no file in ${name}`;
  const counts = kinds.slice(0, 5).map(([ending, count]) => `${count.toLocaleString('en')} ${ending}`);
  const more = kinds.length > 5 ? ', …' : '';
  return `No file in ${name} has an ending that is taken; left out: ${counts.join(', ')}${more}. Name others with --ext`;
}
