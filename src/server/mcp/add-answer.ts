import type { DocumentId, DocumentInput, SemanticIndex } from '../../index.js';
import type { AnswerBudget } from './answer-budget.js';

/** The answer of the tool `add`. */
export interface AddAnswer {
  /** In the order of the documents; the last ones are left out where the answer would be too long. */
  readonly ids: readonly DocumentId[];
  readonly idsLeftOut?: number;
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
}

/** Adds documents. @throws what `addDocuments` throws. */
export async function addAnswer(
  index: SemanticIndex,
  documents: readonly DocumentInput[],
  signal: AbortSignal,
  budget: AnswerBudget,
): Promise<AddAnswer> {
  const { ids: all, added, updated, unchanged } = await index.addDocuments(documents, { signal });
  const counts = { added, updated, unchanged };
  const ids = budget.firstThatFit(all, { ids: [], idsLeftOut: all.length, ...counts });
  const idsLeftOut = all.length - ids.length;
  return { ids, ...(idsLeftOut > 0 && { idsLeftOut }), ...counts };
}
