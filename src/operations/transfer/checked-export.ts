import type { TextLayout } from '../../analysis/fields/text-layout.js';
import {
  type ExportedDocument,
  type ExportFormat,
  type ExportManifest,
  exportNames,
} from '../../backend/export-format.js';
import { unitVector } from '../../embed/check-vectors.js';
import { checkStoredReferenceEmbeddings } from '../../embed/reference-embeddings.js';
import { SemanticIndexError } from '../../errors.js';
import type { DocumentId, DocumentInput, Metadata } from '../../types.js';
import { hasUnitLength, squaredLength } from '../../vectors/vector-length.js';
import { checkDocument } from '../checked-document.js';

/** A document of an export that passed all checks. */
export interface CheckedRow {
  /** As `addDocuments` accepts it: with its vector only where the caller of the exported index gave that. */
  readonly document: DocumentInput;
  /** Content hash of the text. */
  readonly hash: string;
  readonly given: boolean;
  readonly vector: Float32Array;
}

/**
 * Checks all of an export, which may have been made or edited by another program: every id, text, metadata and vector, and
 * the canaries of its model.
 *
 * @throws INVALID_FILE with the file and the line or row, and the fault as cause; IO.
 */
export async function checkExport(
  exports: ExportFormat,
  folder: string,
  manifest: ExportManifest,
  layout: TextLayout | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { canaries, dimensions } = manifest;
  if (canaries !== null) {
    refuse(`${exportNames.manifest}, canaries`, () => checkStoredReferenceEmbeddings(canaries, dimensions));
  }
  const lines = new Map<DocumentId, number>();
  let line = 0;
  for await (const rows of checkedRows(exports, folder, manifest, layout)) {
    signal?.throwIfAborted();
    for (const { document } of rows) {
      const { id } = document as { id: DocumentId };
      const first = lines.get(id);
      lines.set(id, ++line);
      if (first === undefined) continue;
      throw new SemanticIndexError(
        'INVALID_FILE',
        `${exportNames.documents}:${line}: the id ${JSON.stringify(id)} is that of line ${first}`,
        {
          hint: 'Each id may occur once in an export; drop or merge the repeated document.',
        },
      );
    }
  }
}

/** The documents of an export in their order, checked one by one. @throws INVALID_FILE with the file and the line; IO. */
export async function* checkedRows(
  exports: ExportFormat,
  folder: string,
  manifest: ExportManifest,
  layout: TextLayout | undefined,
): AsyncGenerator<CheckedRow[]> {
  const { dimensions } = manifest;
  let line = 0;
  for await (const { documents, vectors } of exports.read(folder, manifest)) {
    yield documents.map((exported, row) => {
      line++;
      return checkRow(exported, vectors.slice(row * dimensions, (row + 1) * dimensions), line, layout);
    });
  }
}

function checkRow(
  { id, text, textFields, metadata, given }: ExportedDocument,
  vector: Float32Array,
  line: number,
  layout: TextLayout | undefined,
): CheckedRow {
  const document: DocumentInput = {
    id,
    text,
    ...(textFields !== undefined && { textFields }),
    ...(metadata === null ? {} : { metadata: JSON.parse(metadata) as Metadata }),
    ...(given ? { vector } : {}),
  };
  let hash = '';
  refuse(`${exportNames.documents}:${line}`, () => {
    if (id === undefined) throw new SemanticIndexError('INVALID_ID', 'Expected an id, got none');
    hash = checkDocument(document, line - 1, layout).hash;
  });
  if (given) return { document, hash, given, vector };
  // As with vectors of a provider, the direction counts; what is of length 1 already keeps its bytes.
  const unit = hasUnitLength(squaredLength(new Uint8Array(vector.buffer))) ? vector : unitVector(vector);
  refuse(`${exportNames.vectors}, row ${line - 1}`, () => {
    if (typeof unit !== 'string') return;
    throw new SemanticIndexError(
      'INVALID_VECTOR',
      `Expected finite components, not all zero, got a vector that is ${unit}`,
    );
  });
  return { document, hash, given, vector: unit as Float32Array };
}

/** Runs a check; what it throws becomes INVALID_FILE at this place. */
function refuse(place: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!SemanticIndexError.is(error)) throw error;
    throw new SemanticIndexError('INVALID_FILE', `${place}: ${error.message}`, {
      cause: error,
      hint: 'Nothing was imported. Correct the file, or export the index again.',
      details: { place, code: error.code },
    });
  }
}
