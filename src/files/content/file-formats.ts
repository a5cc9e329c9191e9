/** The format of a file. */
export type FileFormat =
  | 'markdown'
  | 'text'
  | 'html'
  | 'pdf'
  | 'docx'
  | 'pptx'
  | 'xlsx'
  | 'epub'
  | 'email'
  | 'notebook'
  | 'csv'
  | 'jsonl'
  | 'code';

/** Endings of the names of files, by format. */
const endings = {
  markdown: ['md', 'mdx', 'markdown'],
  text: ['txt', 'rst'],
  html: ['html', 'htm', 'xhtml'],
  pdf: ['pdf'],
  docx: ['docx', 'docm'],
  pptx: ['pptx', 'pptm'],
  xlsx: ['xlsx', 'xlsm'],
  epub: ['epub'],
  email: ['eml'],
  notebook: ['ipynb'],
  csv: ['csv', 'tsv'],
  jsonl: ['jsonl', 'ndjson'],
  code: [
    ...['js', 'mjs', 'cjs', 'jsx', 'ts', 'mts', 'cts', 'tsx', 'py', 'go', 'rs', 'java', 'c', 'h', 'cc', 'cpp', 'cxx'],
    ...['hh', 'hpp', 'cs', 'php', 'rb', 'sh', 'bash', 'ps1'],
  ],
} as const satisfies Record<FileFormat, readonly string[]>;

const formats = new Map<string, FileFormat>(
  Object.entries(endings).flatMap(([format, list]) => list.map((ending) => [ending, format as FileFormat] as const)),
);

/** The ending of a name in lower case, without its dot; empty if there is none. */
export function endingOf(name: string): string {
  const base = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
  const dot = base.lastIndexOf('.');
  return dot > 0 ? base.slice(dot + 1).toLowerCase() : '';
}

/** The format that the name of a file implies; undefined if it is not known. */
export function formatOfName(name: string): FileFormat | undefined {
  return formats.get(endingOf(name));
}

/** All endings that are read, without their dots, by format. */
export function endingsOf(...wanted: readonly FileFormat[]): string[] {
  return wanted.flatMap((format) => endings[format]);
}

/** Formats whose files a folder is searched for: tables are added record by record instead. */
export const folderFormats: readonly FileFormat[] = [
  ...(['markdown', 'text', 'html', 'pdf', 'docx', 'pptx', 'xlsx', 'epub', 'email', 'notebook', 'code'] as const),
];

/** Formats that are text in some encoding, whatever their first bytes. */
export const textFormats: readonly FileFormat[] = [
  ...(['markdown', 'text', 'html', 'email', 'notebook', 'csv', 'jsonl', 'code'] as const),
];

/** Formats that are ZIP archives. */
export const zipFormats: readonly FileFormat[] = ['docx', 'pptx', 'xlsx', 'epub'];
