import type { ParsedContent } from '../files/content/file-content.js';
import { parsedFile } from '../files/parsed-file.js';
import type { SourceDocument } from './chunking/chunk-documents.js';

/** The content of a file as a source of chunks. */
export function parsedSource(id: string, content: ParsedContent): SourceDocument {
  const file = parsedFile(id, content);
  const { format } = file.properties;
  // Their chunkers find the blocks themselves.
  return format === 'markdown' || format === 'text' ? { id, text: file.text } : file;
}
