import type { FileFormat } from './file-formats.js';
import type { PlacedBlock, TextBlock } from './text-block.js';

/** Unit in which the pages of a file are counted. */
export type PageKind = 'page' | 'slide' | 'sheet' | 'chapter' | 'cell';

/** Facts about a file that it states itself. */
export interface FileProperties {
  readonly format: FileFormat;
  /** Title of the document. */
  readonly title?: string;
  readonly author?: string;
  /** Language as the file names it: `en`, `de-AT`; for source code the programming language. */
  readonly language?: string;
  /** ISO 8601. */
  readonly created?: string;
  /** ISO 8601. */
  readonly modified?: string;
}

/** The text of a file as a reader returns it. */
export interface FileContent {
  readonly text: string;
  /** In the order of the text; definitions may contain definitions. */
  readonly blocks: readonly TextBlock[];
  readonly pageKind?: PageKind | undefined;
  /** Number of pages, those without text included. */
  readonly pages?: number | undefined;
  readonly properties: Omit<FileProperties, 'format'>;
}

/** The text of a file with the place of every block. */
export interface ParsedContent extends Omit<FileContent, 'blocks' | 'properties'> {
  readonly blocks: readonly PlacedBlock[];
  readonly properties: FileProperties;
}

/** Limits and settings of one file. */
export interface ReadLimits {
  /** Max. characters of the text. */
  readonly maxCharacters: number;
  /** Encoding of text that is not Unicode and does not name its own. */
  readonly encoding: string | undefined;
}

/** Turns the bytes of a file into its text. Runs in a thread that is ended when the file takes too long. */
export type FileReader = (bytes: Uint8Array, limits: ReadLimits, name: string) => FileContent | Promise<FileContent>;
