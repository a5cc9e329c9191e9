import { type Command, InvalidArgumentError } from 'commander';
import { type Document, readPassage, type SemanticIndex, SemanticIndexError, type SourcePassage } from '../../index.js';
import { existingIds, naturalNumber, positiveInteger } from '../arguments.js';
import { openIndex } from '../open-index.js';
import { perform, withCommonFlags } from '../perform.js';
import type { CommonFlags, Terminal } from '../terminal.js';

interface GetFlags extends CommonFlags {
  readonly lines?: readonly [number, number];
  readonly pages?: readonly [number, number];
  readonly neighbors?: number;
  readonly maxTokens?: number;
  readonly after?: string;
}

/** `get`: documents by their ids, and lines or pages of sources. */
export function addGet(program: Command): void {
  const command = program
    .command('get')
    .description('print documents by their ids, or lines and pages of sources such as docs/guide.md')
    .argument('<index>', 'directory of the index')
    .argument('<ids...>', 'ids of documents, or names of sources')
    .option('--lines <range>', 'lines of a source: 10-40, 10, or 10- to the end', range)
    .option('--pages <range>', 'pages, slides, sheets, chapters or cells of a source: 3-5', range)
    .option('--neighbors <number>', 'chunks before and behind a chunk to print as well', naturalNumber)
    .option('--max-tokens <number>', 'end at the line before this many tokens', positiveInteger)
    .option('--after <next>', 'cursor of the previous part');
  withCommonFlags(command, [
    'get my-index returns',
    'get my-index 1 2 3 --json',
    'get my-index docs/guide.md --lines 10-40',
    'get my-index report.pdf --pages 3-5 --max-tokens 2000',
  ]).action((folder: string, texts: string[], flags: GetFlags) =>
    perform(flags, async ({ terminal, signal }) => {
      const { lines, pages, neighbors, maxTokens, after } = flags;
      // Nothing is embedded.
      await using opened = await openIndex(folder, { model: 'none' }, terminal, { readonly: true });
      const { index } = opened;
      const options = { lines, pages, maxTokens, after, ...(neighbors !== undefined && { neighbors }) };
      const isPart = Object.values(options).some((value) => value !== undefined);
      const found = isPart ? undefined : await documentsOf(index, texts);
      if (found !== undefined) {
        const shown = found.flatMap(({ id, text, metadata }) => [
          `${terminal.style('bold', String(id))}  ${terminal.style('dim', JSON.stringify(metadata))}`,
          text,
        ]);
        terminal.result({ documents: found }, shown);
        return undefined;
      }
      const passages: SourcePassage[] = [];
      for (const id of texts) passages.push(await readPassage(index, id, { ...options, signal }));
      terminal.result(
        { passages },
        passages.flatMap((passage) => passageLines(passage, terminal)),
      );
      for (const { source, next } of passages)
        if (next !== undefined) terminal.note(`More of ${source}: --after ${next}`);
      return undefined;
    }),
  );
}

/** Documents by their ids; undefined if one of them is a source. */
async function documentsOf(index: SemanticIndex, texts: readonly string[]): Promise<Document[] | undefined> {
  try {
    const ids = await existingIds(index, texts);
    return (await index.getDocuments(ids)).flatMap((document) => document ?? []);
  } catch (error) {
    if (!SemanticIndexError.is(error) || error.code !== 'NOT_FOUND') throw error;
    for (const source of texts) {
      if ((await index.count({ where: { source } })) > 0) return undefined;
    }
    throw error;
  }
}

function passageLines(passage: SourcePassage, terminal: Terminal): string[] {
  const { source, startLine, endLine, page, endPage, pageKind = 'page', text } = passage;
  const [unit, first, last] = page === undefined ? ['line', startLine, endLine] : [pageKind, page, endPage];
  const place = first === last ? `${unit} ${first}` : `${unit}s ${first}-${last}`;
  return [`${terminal.style('bold', source)}  ${terminal.style('dim', place)}`, text];
}

/** `10-40`, `10` or `10-`. */
function range(text: string): readonly [number, number] {
  const [, first, dash, last] = /^(\d{1,9})(-?)(\d{0,9})$/.exec(text) ?? [];
  if (first === undefined) throw new InvalidArgumentError(`Expected a range such as 10-40, got ${text}.`);
  return [Number(first), dash === '' ? Number(first) : last === '' ? Number.MAX_SAFE_INTEGER : Number(last)];
}
