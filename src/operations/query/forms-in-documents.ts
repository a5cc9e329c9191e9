import { textOf } from '../../analysis/fields/stored-text.js';
import { WordForms } from '../../analysis/query/word-forms.js';
import type { FoundTerm, ReadSnapshot } from '../../backend/read-snapshot.js';
import { TimeSlice } from '../../time-slice.js';

/** Only so much of a text is read. */
const maxCharacters = 20_000;

/** The forms that terms have in the first documents with them. */
export async function formsIn(
  snapshot: ReadSnapshot,
  terms: readonly FoundTerm[],
  signal: AbortSignal | undefined,
): Promise<WordForms> {
  const forms = new WordForms(
    terms.map(({ term }) => term),
    snapshot.languages,
  );
  const keys = new Set(terms.flatMap(({ keys }) => [...keys]));
  const slice = new TimeSlice();
  for (const document of await snapshot.byKeys([...keys], signal)) {
    if (slice.due()) await slice.yieldIfDue(signal);
    if (document !== undefined) forms.add(textOf(document.text).slice(0, maxCharacters));
  }
  return forms;
}
