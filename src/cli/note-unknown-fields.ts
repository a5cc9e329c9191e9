import type { SemanticIndex, Where } from '../index.js';
import { unknownFieldsNote } from '../operations/unknown-fields.js';
import type { Terminal } from './terminal.js';

/** Notes the fields of a filter that no document has, for a command that found nothing. */
export async function noteUnknownFields(
  index: SemanticIndex,
  where: Where | undefined,
  terminal: Terminal,
): Promise<void> {
  const note = await unknownFieldsNote(where, (one) => index.count({ where: one }));
  if (note !== undefined) terminal.note(note);
}
