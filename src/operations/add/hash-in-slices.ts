import type { TimeSlice } from '../../time-slice.js';
import { type CheckedDocument, hashDocuments, type UnhashedDocument } from '../checked-document.js';

/** Characters that are hashed at once: a fraction of a millisecond. */
const charactersPerHash = 65_536;

/** Hashes the documents of a batch, a few at a time. */
export async function hashInSlices(
  batch: readonly UnhashedDocument[],
  slice: TimeSlice,
  signal: AbortSignal | undefined,
): Promise<CheckedDocument[]> {
  const documents: CheckedDocument[] = [];
  for (let first = 0; first < batch.length; ) {
    let [last, characters] = [first, 0];
    while (last < batch.length && characters < charactersPerHash) characters += batch[last++]?.text.length ?? 0;
    documents.push(...hashDocuments(batch.slice(first, last)));
    first = last;
    if (slice.due()) await slice.yieldIfDue(signal);
  }
  return documents;
}
