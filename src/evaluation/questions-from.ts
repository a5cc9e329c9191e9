import { SemanticIndexError } from '../errors.js';
import { describe, type Listed, type Resolved, resolveOptions } from '../options.js';
import { Random } from '../random.js';
import { TimeSlice } from '../time-slice.js';
import type { DocumentId, JudgedQuestion } from '../types.js';

/** Options of `questionsFrom(documents, options)`. */
export interface QuestionsFromOptions {
  /** Maximum number of questions. Default 300. */
  count?: number | undefined;
  /** Seed of the choice. Default 0. */
  seed?: number | undefined;
  /** Aborting rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

const defaults = { count: 300, seed: 0, signal: undefined } satisfies Listed<QuestionsFromOptions>;

/** Questions made from documents. */
export interface ProposedQuestions {
  readonly questions: JudgedQuestion[];
  /** What they prove, and what they do not. */
  readonly caution: string;
}

interface Candidate {
  readonly id: DocumentId;
  readonly words: readonly string[];
}

const words = /[\p{L}\p{N}][\p{L}\p{N}\p{M}_'’-]*/gu;
const maxCharacters = 20_000;
/** Words in more than this share of the documents say little about one of them. */
const maxShare = 0.1;
const fewestWords = 2;

/**
 * Proposes known-item questions for `evaluate` when nothing was judged: some words that are rare in the collection, from one
 * place in a document, as a reader remembers it; the document is the only right answer (Azzopardi, de Rijke, Balog 2007). They share
 * words with their answers, so searches by words do better than with questions of people, and other documents that answer as well
 * count as wrong. Good for comparing settings of one mode; weak evidence for anything else.
 *
 * @throws INVALID_ARGUMENT if no document has two rare words; UNKNOWN_OPTION.
 * @example
 * const { questions, caution } = await questionsFrom(index.documents(), { count: 200 });
 */
export async function questionsFrom(
  documents: Iterable<{ id: DocumentId; text: string }> | AsyncIterable<{ id: DocumentId; text: string }>,
  options?: QuestionsFromOptions,
): Promise<ProposedQuestions> {
  const resolved: Resolved<QuestionsFromOptions, typeof defaults> = resolveOptions('questionsFrom', options, defaults);
  const { count, seed, signal } = resolved;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      `questionsFrom: expected a positive integer as count, got ${describe(count)}`,
    );
  }
  const random = new Random(seed);
  const { candidates, frequencies, total } = await sample(documents, count, random, signal);
  const questions = candidates.flatMap(({ id, words }): JudgedQuestion[] => {
    const rare = words.filter((word) => isRare(frequencies.get(word.toLowerCase()) ?? 1, total));
    if (rare.length < fewestWords) return [];
    const size = fewestWords + random.integer(4);
    const first = random.integer(Math.max(1, rare.length - size));
    return [{ query: rare.slice(first, first + size).join(' '), relevant: [id] }];
  });
  if (questions.length === 0) {
    throw new SemanticIndexError(
      'INVALID_ARGUMENT',
      'questionsFrom: no document has two words that are rare in the collection',
      {
        hint: 'Pass documents with texts, some dozens at least, or write questions by hand.',
      },
    );
  }
  return { questions, caution };
}

const caution =
  'These questions were made from the documents: they share words with their answers, and only one document counts as right. They ' +
  'can compare settings, but figures for questions of people will differ.';

function isRare(frequency: number, total: number): boolean {
  return frequency <= Math.max(1, total * maxShare);
}

/** A sample of the documents, each equally likely (reservoir, Vitter 1985), and in how many documents each word occurs. */
async function sample(
  documents: Iterable<{ id: DocumentId; text: string }> | AsyncIterable<{ id: DocumentId; text: string }>,
  count: number,
  random: Random,
  signal: AbortSignal | undefined,
): Promise<{ candidates: Candidate[]; frequencies: Map<string, number>; total: number }> {
  const candidates: Candidate[] = [];
  const frequencies = new Map<string, number>();
  const slice = new TimeSlice();
  let total = 0;
  for await (const { id, text } of documents) {
    signal?.throwIfAborted();
    const found = text.slice(0, maxCharacters).match(words) ?? [];
    for (const word of new Set(found.map((word) => word.toLowerCase()))) {
      frequencies.set(word, (frequencies.get(word) ?? 0) + 1);
    }
    const place = total < count ? total : random.integer(total + 1);
    if (place < count) candidates[place] = { id, words: found };
    total++;
    if (slice.due()) await slice.yieldIfDue(signal);
  }
  return { candidates, frequencies, total };
}
