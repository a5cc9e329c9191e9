import { ContentBuilder, properties } from '../content/content-builder.js';
import type { FileContent, ReadLimits } from '../content/file-content.js';
import { invalidFile } from '../content/invalid-file.js';
import { markdownBlocks } from '../markdown/markdown-blocks.js';
import { textOf } from './text.js';

/**
 * The Markdown and the code of a Jupyter notebook (nbformat 4, https://nbformat.readthedocs.io); outputs are left out.
 * Its pages are its cells.
 */
export function readNotebook(bytes: Uint8Array, limits: ReadLimits): FileContent {
  const notebook = objectOf(parsed(textOf(bytes, limits)));
  const cells = notebook.cells ?? objectOf((notebook.worksheets as unknown[] | undefined)?.[0]).cells;
  if (!Array.isArray(cells)) throw invalidFile('it is not a notebook: it has no cells', 'Save it again with Jupyter.');
  const builder = new ContentBuilder(limits.maxCharacters);
  cells.forEach((cell: unknown, position) => {
    const { cell_type: type, source, input } = objectOf(cell);
    const text = joined(source ?? input).trim();
    const page = position + 1;
    if (text === '') return;
    if (type === 'markdown') builder.addBlocks(text, markdownBlocks(text), page);
    else if (type === 'heading') builder.add('heading', text, { depth: Number(objectOf(cell).level) || 1, page });
    else builder.add(type === 'code' ? 'code' : 'text', text, { page });
  });
  const { language_info: info, kernelspec, title, authors } = objectOf(notebook.metadata);
  const language = objectOf(info).name ?? objectOf(kernelspec).language;
  const author = Array.isArray(authors) ? objectOf(authors[0]).name : undefined;
  return builder.finish(
    properties({
      title: stringOf(title),
      author: stringOf(author),
      language: stringOf(language),
      created: undefined,
      modified: undefined,
    }),
    { pageKind: 'cell', pages: cells.length },
  );
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw invalidFile(`it is not valid JSON: ${(cause as Error).message}`, 'Save it again with Jupyter.', cause);
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function joined(source: unknown): string {
  if (Array.isArray(source)) return source.filter((line) => typeof line === 'string').join('');
  return stringOf(source) ?? '';
}
