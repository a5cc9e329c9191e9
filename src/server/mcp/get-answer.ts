import type { DocumentId, Metadata, SemanticIndex, SourcePassage } from '../../index.js';
import { type ReadPassageOptions, readPassage } from '../../index.js';
import type { AnswerBudget } from './answer-budget.js';
import { span, unitSpan } from './hit-answer.js';

/** The answer of the tool `get`. */
export interface GetAnswer {
  readonly source: string;
  readonly lines: string;
  readonly pages?: string;
  readonly headings?: readonly string[];
  readonly text: string;
  readonly ids: readonly DocumentId[];
  readonly missing?: readonly string[];
  readonly metadata: Metadata;
  readonly omitted?: readonly string[];
  readonly next?: string;
}

const tokensOfMetadata = 150;
/** Ids that an answer lists: those of the first documents. */
const maxIds = 20;
/** Share of the budget that is tried next when the frame of the text took more than was expected. */
const smaller = 0.85;

/** Reads a passage whose answer fits into a budget. @throws TOO_LARGE and what `readPassage` throws. */
export async function getAnswer(
  index: SemanticIndex,
  id: DocumentId,
  options: ReadPassageOptions,
  budget: AnswerBudget,
): Promise<GetAnswer> {
  const countTokens = budget.tokensOfText;
  for (let maxTokens = Math.floor(budget.maxTokens * smaller); maxTokens >= 1; ) {
    const passage = await readPassage(index, id, { ...options, maxTokens, countTokens });
    const answer = answerOf(passage, budget);
    if (budget.holds(answer)) return answer;
    maxTokens = Math.floor(maxTokens * smaller);
  }
  return budget.refuse(`A part of ${JSON.stringify(id)}`);
}

function answerOf(passage: SourcePassage, budget: AnswerBudget): GetAnswer {
  const { source, headings, text, startLine, endLine, page, endPage, pageKind = 'page', ids, missing, next } = passage;
  return {
    source,
    lines: span(startLine, endLine),
    ...(page !== undefined && { pages: unitSpan(pageKind, page, endPage ?? page) }),
    ...(headings.length > 0 && { headings: headings.slice(0, 5).map((one) => one.slice(0, 200)) }),
    text,
    ids: ids.slice(0, maxIds),
    ...(missing !== undefined && { missing: missing.slice(0, maxIds).map(([first, last]) => span(first, last)) }),
    ...budget.metadata(passage.metadata, tokensOfMetadata),
    ...(next !== undefined && { next }),
  };
}
