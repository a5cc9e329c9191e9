import type { StandardSchemaV1 } from '@standard-schema/spec';
import { languageCode, languages } from '../analysis/languages.js';
import { valueAt } from '../analysis/text-analysis.js';
import type { Backend } from '../backend/backend.js';
import { SemanticIndexError } from '../errors.js';
import { describe, type FieldType, type ResolvedOpenOptions, suggestName } from '../options.js';
import type { DocumentId, DocumentInput, Metadata } from '../types.js';
import { checkId, checkMetadata } from './checked-document.js';

/** What the metadata of an index has to be: the types of declared fields, a known language, and a schema of the caller's. */
export class MetadataRules {
  readonly #fields: readonly (readonly [name: string, type: FieldType])[];
  readonly #schema: StandardSchemaV1 | undefined;

  readonly #languageField: string | undefined;

  /** @param languageField path of the field that names the language of a document. */
  constructor({ fields, schema }: Pick<ResolvedOpenOptions, 'fields' | 'schema'>, languageField?: string) {
    this.#languageField = languageField;
    this.#fields = Object.entries(fields ?? {});
    this.#schema = schema;
  }

  /** Whether there is anything to hold metadata to. */
  get any(): boolean {
    return this.#schema !== undefined || this.#fields.length > 0 || this.#languageField !== undefined;
  }

  /** The document with the metadata that the schema makes of its own. @throws INVALID_METADATA */
  async document(input: string | DocumentInput, position: number): Promise<string | DocumentInput> {
    const document = typeof input === 'string' ? { text: input } : input;
    // What is no document is refused by those who know documents.
    if (typeof document !== 'object' || document === null) return input;
    const metadata = await this.metadata(document.metadata ?? {}, `document ${position}`);
    return Object.keys(metadata).length === 0 && document.metadata === undefined ? input : { ...document, metadata };
  }

  /** The metadata as the schema returns it. @throws INVALID_METADATA */
  async metadata(given: unknown, where: string): Promise<Metadata> {
    let metadata = given;
    if (this.#schema !== undefined) {
      const result = await this.#schema['~standard'].validate(given);
      if (result?.issues !== undefined) throw unfit(where, result.issues);
      metadata = metadataOf(result, where);
    }
    for (const [name, type] of this.#fields) {
      const value = memberOf(metadata, name.split('.'));
      if (value === undefined || value === null || typeof value === type) continue;
      throw new SemanticIndexError('INVALID_METADATA', `The metadata of ${where} has ${describe(value)} as ${name}`, {
        hint: `The index was opened with ${name} declared as ${type}.`,
      });
    }
    if (this.#languageField !== undefined) checkNamedLanguage(metadata, this.#languageField, where);
    return metadata as Metadata;
  }
}

function checkNamedLanguage(metadata: unknown, field: string, where: string): void {
  const value = valueAt(metadata, field);
  if (value === undefined || value === null) return;
  if (typeof value === 'string' && languageCode(value) !== undefined) return;
  throw new SemanticIndexError('INVALID_METADATA', `The metadata of ${where} has ${describe(value)} as ${field}`, {
    hint: `It names the language of the document: expected one of ${languages.map(({ code }) => code).join(', ')}.`,
  });
}

function memberOf(value: unknown, steps: readonly string[]): unknown {
  return steps.reduce<unknown>(
    (object, step) =>
      typeof object === 'object' && object !== null ? (object as Record<string, unknown>)[step] : undefined,
    value,
  );
}

/** What a schema made of metadata. A schema that returns nothing, as one that ends without a result does, is not one. */
function metadataOf(result: StandardSchemaV1.SuccessResult<unknown> | undefined, where: string): object {
  const value = result?.value;
  if (typeof value === 'object' && value !== null) return value;
  throw new SemanticIndexError(
    'INVALID_METADATA',
    `The schema returned ${describe(value)} for the metadata of ${where}`,
    {
      hint: 'Its `validate` must return { value } with an object, or { issues }.',
    },
  );
}

function unfit(where: string, issues: readonly StandardSchemaV1.Issue[]): SemanticIndexError {
  const listed = issues.map(({ message, path }) => ({
    path: (path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.'),
    message,
  }));
  const first = listed[0];
  const what = first === undefined ? 'does not fit' : `${first.path === '' ? '' : `${first.path}: `}${first.message}`;
  return new SemanticIndexError('INVALID_METADATA', `The metadata of ${where} does not fit the schema: ${what}`, {
    hint: 'See `details.issues` for all that the schema reports.',
    details: { issues: listed },
  });
}

const members = ['id', 'metadata'];

/** Checks the changes of `updateMetadata`. @throws INVALID_ARGUMENT, UNKNOWN_OPTION, INVALID_ID, DUPLICATE_ID, INVALID_METADATA */
export async function checkChanges(
  changes: readonly unknown[],
  rules: MetadataRules,
): Promise<{ id: DocumentId; metadata: string | null }[]> {
  const checked = new Map<DocumentId, { id: DocumentId; metadata: string | null }>();
  for (const [position, change] of Array.from(changes).entries()) {
    const where = `change ${position}`;
    if (typeof change !== 'object' || change === null || Array.isArray(change)) {
      throw new SemanticIndexError(
        'INVALID_ARGUMENT',
        `updateMetadata: expected an object as ${where}, got ${describe(change)}`,
        {
          hint: "Pass changes such as { id: 'a', metadata: { year: 2020 } }.",
        },
      );
    }
    for (const member of Object.keys(change)) {
      if (members.includes(member)) continue;
      const meant = suggestName(member, members);
      const hint =
        member === 'text' ? 'addDocuments replaces the text of a document.' : 'A change has id and metadata.';
      throw new SemanticIndexError('UNKNOWN_OPTION', `updateMetadata: ${where} has an unknown member "${member}"`, {
        hint: meant === undefined ? hint : `Did you mean "${meant}"?`,
      });
    }
    const { id, metadata } = change as { id?: unknown; metadata?: unknown };
    const known = checkId(id, where);
    if (checked.has(known)) {
      throw new SemanticIndexError(
        'DUPLICATE_ID',
        `updateMetadata: ${where} has the id ${describe(known)} of a change before it`,
      );
    }
    const kept = rules.any ? await rules.metadata(metadata, where) : metadata;
    checked.set(known, { id: known, metadata: checkMetadata(kept, where) });
  }
  return [...checked.values()];
}

/** @throws NOT_FOUND when no document has one of the ids. */
export async function refuseMissing(backend: Backend, changes: readonly { readonly id: DocumentId }[]): Promise<void> {
  const ids = changes.map(({ id }) => id);
  const found = await backend.byIds(ids);
  const missing = ids.filter((_, position) => found[position] === undefined);
  if (missing.length === 0) return;
  const named = missing.slice(0, 5).map(describe).join(', ');
  throw new SemanticIndexError(
    'NOT_FOUND',
    `updateMetadata: no document has ${missing.length === 1 ? 'the id' : 'the ids'} ${named}${missing.length > 5 ? ', …' : ''}`,
    { details: { ids: missing } },
  );
}
