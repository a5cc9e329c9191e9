import type { Backend } from '../../backend/backend.js';
import { SemanticIndexError } from '../../errors.js';
import { describe } from '../../options.js';
import type { DocumentId, JudgedQuestion, Query } from '../../types.js';
import { checkId } from '../checked-document.js';
import type { Grades } from './measures.js';

/** A judged question, checked: its judgments name documents by the ids of the index. */
export interface CheckedQuestion {
  readonly id: string;
  readonly query: Query;
  readonly grades: Grades;
}

/** An id as it was judged. Keys of objects are strings, whatever the type of the id. */
interface Judgment {
  readonly id: DocumentId;
  readonly isKey: boolean;
  readonly grade: number;
}

const known = ['id', 'query', 'relevant'];
/** Ids that are looked up at once. */
const idsPerLookup = 1000;

/**
 * Checks questions and finds their documents.
 *
 * @throws INVALID_ARGUMENT for anything but judged questions, for one without a relevant document, and, unless `keepUnknown`, for ids
 *   that the index does not have; INVALID_ID.
 */
export async function checkQuestions(
  given: readonly JudgedQuestion[],
  backend: Backend,
  keepUnknown: boolean,
): Promise<{ questions: CheckedQuestion[]; unknownIds: DocumentId[] }> {
  if (!Array.isArray(given) || given.length === 0) {
    throw invalid(`expected an array of questions, got ${describe(given)}`, 'Pass [{ query, relevant: [id, …] }, …].');
  }
  const judged = given.map((question, place) => judgmentsOf(question, place + 1));
  const existing = await existingIds(backend, judged.flat());
  const unknown = new Set<DocumentId>();
  const names = new Set<string>();
  const questions = given.map(({ id, query }, place) => {
    const name = id ?? String(place + 1);
    if (names.has(name)) throw invalid(`two questions have the id "${name}"`, 'Leave ids out to number the questions.');
    names.add(name);
    const grades = new Map<DocumentId, number>();
    for (const judgment of judged[place] as Judgment[]) {
      const found = resolved(judgment, existing);
      if (found === undefined) unknown.add(judgment.id);
      grades.set(found ?? judgment.id, judgment.grade);
    }
    return { id: name, query, grades };
  });
  if (unknown.size > 0 && !keepUnknown) throw await unknownIds([...unknown], questions, backend);
  return { questions, unknownIds: [...unknown] };
}

function judgmentsOf(question: JudgedQuestion, number: number): Judgment[] {
  if (typeof question !== 'object' || question === null) {
    throw invalid(`expected a question as number ${number}, got ${describe(question)}`, 'Pass { query, relevant }.');
  }
  const member = Object.keys(question).find((name) => !known.includes(name));
  if (member !== undefined) {
    throw new SemanticIndexError('UNKNOWN_OPTION', `evaluate: question ${number} has the unknown member "${member}"`, {
      hint: `Known members: ${known.join(', ')}.`,
    });
  }
  const { id, query, relevant } = question;
  if (id !== undefined && typeof id !== 'string') {
    throw invalid(`expected a string as id of question ${number}, got ${describe(id)}`, 'Leave it out for the number.');
  }
  if (query === undefined || query === null) {
    throw invalid(`question ${number} has no query`, 'Pass { query, relevant }.');
  }
  const judgments = [...judgmentsIn(relevant, number)];
  for (const { id: document, grade, isKey } of judgments) {
    if (!isKey) checkId(document, `evaluate: question ${number}`);
    if (typeof grade === 'number' && Number.isFinite(grade)) continue;
    throw invalid(
      `expected a finite number as grade of ${describe(document)} in question ${number}, got ${describe(grade)}`,
      '0 means judged and not relevant; higher is better.',
    );
  }
  if (!judgments.some(({ grade }) => grade > 0)) {
    throw invalid(
      `question ${number} has no relevant document`,
      'Leave such questions out: every ranking answers them equally.',
    );
  }
  return judgments;
}

function* judgmentsIn(relevant: JudgedQuestion['relevant'], number: number): Generator<Judgment> {
  if (Array.isArray(relevant)) {
    for (const id of relevant as readonly DocumentId[]) yield { id, isKey: false, grade: 1 };
  } else if (relevant instanceof Map) {
    for (const [id, grade] of relevant as ReadonlyMap<DocumentId, number>) yield { id, isKey: false, grade };
  } else if (typeof relevant === 'object' && relevant !== null) {
    for (const [id, grade] of Object.entries(relevant)) yield { id, isKey: true, grade };
  } else {
    throw invalid(
      `expected ids or an object of grades as relevant of question ${number}, got ${describe(relevant)}`,
      "Pass ['a', 'b'] or { a: 2, b: 1 }.",
    );
  }
}

/** The integer that a key may stand for. */
function integerOf(key: DocumentId): number | undefined {
  if (typeof key !== 'string' || !/^(?:0|-?[1-9]\d*)$/.test(key)) return undefined;
  const number = Number(key);
  return Number.isSafeInteger(number) ? number : undefined;
}

function resolved({ id, isKey }: Judgment, existing: ReadonlySet<DocumentId>): DocumentId | undefined {
  if (existing.has(id)) return id;
  const number = isKey ? integerOf(id) : undefined;
  return number !== undefined && existing.has(number) ? number : undefined;
}

async function existingIds(backend: Backend, judgments: readonly Judgment[]): Promise<Set<DocumentId>> {
  const wanted = new Set<DocumentId>();
  for (const { id, isKey } of judgments) {
    wanted.add(id);
    const number = isKey ? integerOf(id) : undefined;
    if (number !== undefined) wanted.add(number);
  }
  const ids = [...wanted];
  const existing = new Set<DocumentId>();
  for (let first = 0; first < ids.length; first += idsPerLookup) {
    const some = ids.slice(first, first + idsPerLookup);
    const changes = await backend.classify(some.map((id) => ({ id, hash: '' })));
    for (const [place, change] of changes.entries()) if (change !== 'new') existing.add(some[place] as DocumentId);
  }
  return existing;
}

async function unknownIds(
  unknown: readonly DocumentId[],
  questions: readonly CheckedQuestion[],
  backend: Backend,
): Promise<SemanticIndexError> {
  const [first] = unknown;
  const twin = typeof first === 'number' ? String(first) : integerOf(first as string);
  const [change] = twin === undefined ? [] : await backend.classify([{ id: twin, hash: '' }]);
  const isOther = change !== undefined && change !== 'new';
  const meant = `The index has the ${typeof twin === 'string' ? 'string' : 'number'} ${JSON.stringify(twin)} as an id.`;
  const { id } = questions.find(({ grades }) => grades.has(first as DocumentId)) as CheckedQuestion;
  const others = unknown.length === 1 ? '' : ` and ${unknown.length - 1} more`;
  return new SemanticIndexError(
    'NOT_FOUND',
    `evaluate: question "${id}" names the document ${JSON.stringify(first)}${others}, which the index does not have`,
    {
      hint: isOther ? meant : "Correct the ids, or pass onUnknownId: 'keep' to count such documents as not found.",
      details: { ids: unknown.slice(0, 100) },
    },
  );
}

function invalid(message: string, hint: string): SemanticIndexError {
  return new SemanticIndexError('INVALID_ARGUMENT', `evaluate: ${message}`, { hint });
}
