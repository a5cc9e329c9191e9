import { type Field, readingsOf } from '../../../backend/filter-tree.js';
import type { ReadSnapshot } from '../../../backend/read-snapshot.js';
import { SemanticIndexError } from '../../../errors.js';
import { describe } from '../../../options.js';

/** As in a filter. */
const [maxSteps, maxLength] = [8, 512];

/** Fields by name: searches name the same few again and again. */
const known = new Map<string, Field>();
const maxKnown = 64;

/** The field with a name, as filters read it. @throws INVALID_ARGUMENT when it is not a name. */
export function fieldNamed(method: string, option: string, name: unknown): Field {
  const found = known.get(name as string);
  if (found !== undefined) return found;
  if (typeof name !== 'string' || name.length === 0 || name.length > maxLength || name.startsWith('$')) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: expected the name of a field as ${option}, got ${describe(name)}`,
      { hint: "Pass a name such as 'source' or 'author.name'." },
    );
  }
  const steps = name.split('.').length;
  if (steps > maxSteps) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: expected a name of at most ${maxSteps} steps as ${option}, got ${steps}`,
    );
  }
  const field = { name, readings: readingsOf(name) };
  if (known.size === maxKnown) known.clear();
  known.set(name, field);
  return field;
}

/** @throws INVALID_ARGUMENT for a field that no document has: most often its name is misspelt. */
export async function checkFieldsExist(
  method: string,
  snapshot: ReadSnapshot,
  fields: readonly { readonly option: string; readonly field: Field }[],
): Promise<void> {
  for (const { option, field } of fields) {
    if (await snapshot.field(field.name).hasValues()) continue;
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `${method}: expected a field of the metadata as ${option}, got ${describe(field.name)}, which no document has`,
      { hint: 'Check the spelling. A value is a string, a number, a boolean, or a list of these.' },
    );
  }
}
