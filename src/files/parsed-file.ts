import type { FileProperties, PageKind, ParsedContent } from './content/file-content.js';
import type { PlacedBlock } from './content/text-block.js';

/** The text of a file, as a source for `sync` and `chunkDocuments`. */
export interface ParsedFile {
  /** The path or name that was given. */
  readonly id: string;
  readonly text: string;
  /** Its parts in order, each with the headings above it and its lines or page. Definitions may contain definitions. */
  readonly blocks: readonly PlacedBlock[];
  /** What the file states about itself: format, title, author, language, dates. */
  readonly properties: FileProperties;
  /** Unit of the pages; undefined for files that are cited by lines. */
  readonly pageKind?: PageKind | undefined;
  /** Number of pages, those without text included. */
  readonly pages?: number | undefined;
  /** Metadata of its chunks: the properties as `file`; none for Markdown and plain text. */
  readonly metadata?: { readonly file: FileProperties & { readonly [name: string]: string } };
}

/** A file with its content, as a source of chunks. */
export function parsedFile(id: string, { text, blocks, properties, pageKind, pages }: ParsedContent): ParsedFile {
  const hasMetadata = properties.format !== 'markdown' && properties.format !== 'text';
  return {
    id,
    text,
    blocks,
    properties,
    ...(pageKind !== undefined && { pageKind, pages }),
    ...(hasMetadata && { metadata: { file: { ...properties } } }),
  };
}
