import { type DocumentInput, type Json, SemanticIndexError, type TextFields } from '../../index.js';
import { describe } from '../../options.js';

/** Which fields of a record make a document; all others become metadata. */
export interface FieldFlags {
  /** Several, separated by commas, are the fields of the text. */
  readonly textField: string;
  readonly idField: string;
  readonly vectorField: string;
  /** The only fields that become metadata; default: all others. */
  readonly metadataFields?: readonly string[];
  /** Columns of tables whose cells are numbers, however they are written. */
  readonly numberFields?: readonly string[];
}

/** Names of fields where the flags say nothing. */
export const fieldDefaults: FieldFlags = { textField: 'text', idField: 'id', vectorField: 'vector' };

/**
 * A record of a JSONL or CSV file as a document. A field `metadata` that is an object is the metadata itself.
 *
 * @throws INVALID_TEXT when it has no text. What else may be wrong is for `addDocuments` to say.
 */
export function documentOf(
  record: Readonly<Record<string, unknown>>,
  fields: FieldFlags,
  place: string,
): DocumentInput {
  const { textField, idField, vectorField, metadataFields } = fields;
  const textNames = textNamesOf(textField);
  const text = textOf(record, textNames);
  if (text === undefined) {
    const found = record[textField];
    if (found !== undefined && found !== null) {
      throw new SemanticIndexError(
        'INVALID_TEXT',
        `${place}: expected a string in "${textField}", got ${describe(found)}`,
        {
          hint: 'Correct it, or leave such records out with --on-invalid skip.',
        },
      );
    }
    const names = Object.keys(record).join(', ');
    throw new SemanticIndexError('INVALID_TEXT', `${place}: there is no text in the field "${textField}"`, {
      hint: `Name the field of the text with --text-field; there are: ${names}.`,
    });
  }
  const id = record[idField];
  const vector = record[vectorField];
  const own = record.metadata;
  const nested = typeof own === 'object' && own !== null && !Array.isArray(own) && metadataFields === undefined;
  const taken = [...textNames, idField, vectorField, ...(nested ? ['metadata'] : [])];
  const names = metadataFields ?? Object.keys(record).filter((name) => !taken.includes(name));
  // Not assigned one by one: a field may be called __proto__.
  const named = names.flatMap((name) => (Object.hasOwn(record, name) ? [[name, record[name] as Json] as const] : []));
  const metadata = Object.fromEntries([...Object.entries(nested ? (own as Record<string, Json>) : {}), ...named]);
  return {
    text,
    ...(id === undefined || id === '' ? {} : { id: id as string | number }),
    ...(vector === undefined ? {} : { vector: vector as number[] }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
  };
}

/** The names of the fields that make the text. */
export function textNamesOf(textField: string): string[] {
  return textField.split(',').filter((name) => name !== '');
}

/** The text of a record: a string, or strings by field. */
function textOf(record: Readonly<Record<string, unknown>>, names: readonly string[]): string | TextFields | undefined {
  if (names.length > 1) {
    const values = names.flatMap((name) =>
      record[name] === undefined || record[name] === '' ? [] : [[name, record[name]]],
    );
    return values.length === 0 ? undefined : (Object.fromEntries(values) as TextFields);
  }
  const text = record[names[0] as string];
  const isFields = typeof text === 'object' && text !== null && !Array.isArray(text);
  return typeof text === 'string' || isFields ? (text as string | TextFields) : undefined;
}
