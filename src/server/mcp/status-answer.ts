import type { Json, Metadata, SemanticIndex } from '../../index.js';
import type { AnswerBudget } from './answer-budget.js';
import { sourcesOf } from './list-answer.js';

/** A field of the metadata that searches can filter by. */
export interface FieldAnswer {
  readonly field: string;
  readonly types: readonly string[];
  readonly example: string;
}

/** The answer of the tool `status`. */
export interface StatusAnswer {
  readonly documents: number;
  /** Files whose chunks are in the index. */
  readonly sources: number;
  readonly model: string;
  readonly megabytes: number;
  readonly canAdd: boolean;
  /** Fields of the first documents. */
  readonly fields: readonly FieldAnswer[];
}

const sampled = 100;
const maxFields = 50;
const longestExample = 60;

/** What an index contains, and which fields its documents have. */
export async function statusAnswer(
  index: SemanticIndex,
  canAdd: boolean,
  signal: AbortSignal,
  budget: AnswerBudget,
): Promise<StatusAnswer> {
  const { documents, provider = 'none', bytes } = await index.stats();
  const sources = (await sourcesOf(index, { where: undefined, prefix: undefined, signal })).length;
  const page = await index.listDocuments({ limit: sampled, maxBytes: 4_000_000, signal });
  const fields = new Map<string, { types: Set<string>; example: string }>();
  for (const { metadata } of page.documents) note(fields, '', metadata);
  const listed = [...fields]
    .map(([field, { types, example }]) => ({ field: field.slice(0, 200), types: [...types].sort(), example }))
    .sort((a, b) => (a.field < b.field ? -1 : 1))
    .slice(0, maxFields);
  const megabytes = Math.round((bytes.database + bytes.segments) / 100_000) / 10;
  const model = provider.split('?', 1)[0]?.slice(0, 200) ?? '';
  const answer: StatusAnswer = { documents, sources, model, megabytes, canAdd, fields: [] };
  return { ...answer, fields: budget.firstThatFit(listed, answer) };
}

/** Where chunks are is said with every hit. */
const hidden = new Set(['chunk']);

function note(
  fields: Map<string, { types: Set<string>; example: string }>,
  above: string,
  metadata: Readonly<Record<string, Json | undefined>> | Metadata,
): void {
  for (const [name, value] of Object.entries(metadata)) {
    if (value === undefined || value === null || (above === '' && hidden.has(name))) continue;
    const field = `${above}${name}`;
    if (typeof value === 'object' && !Array.isArray(value)) {
      if (fields.size < maxFields * 4) note(fields, `${field}.`, value as Record<string, Json>);
      continue;
    }
    const type = Array.isArray(value) ? 'list' : typeof value;
    const known = fields.get(field);
    if (known !== undefined) known.types.add(type);
    else fields.set(field, { types: new Set([type]), example: JSON.stringify(value).slice(0, longestExample) });
  }
}
