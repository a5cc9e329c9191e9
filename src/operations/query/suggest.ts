import type { ReadSnapshot } from '../../backend/read-snapshot.js';
import type { ResolvedSuggestOptions } from '../../options.js';
import type { Metadata, Suggestion } from '../../types.js';
import type { OperationContext } from '../context.js';
import { filterFor } from '../declared-fields.js';
import { withSnapshot } from '../with-snapshot.js';
import { formsIn } from './forms-in-documents.js';
import { expandPrefixes, prefixOf } from './query-prefixes.js';

/** Documents of each term in which its forms are looked up, and terms that are looked at for each suggestion. */
const [formSample, termsPerSuggestion] = [3, 2];
/** The end of a text that is being typed: its last word, with signs that belong to it. */
const lastWord = /[\p{L}\p{N}\p{M}_]+$/u;

/** Completions of the last word of a text, the ones in most documents first. */
export async function suggest<M extends Metadata>(
  { backend }: OperationContext,
  text: string,
  { limit, where, signal }: ResolvedSuggestOptions<M>,
): Promise<Suggestion[]> {
  signal?.throwIfAborted();
  const begin = lastWord.exec(text)?.[0];
  if (begin === undefined || prefixOf(begin) === undefined) return [];
  const filter = where === undefined ? undefined : await filterFor(backend, where);
  return withSnapshot(backend, { filter, consistency: 'session', signal }, async (snapshot) =>
    snapshot === undefined ? [] : suggestFrom(snapshot, text.slice(0, -begin.length), begin, limit, signal),
  );
}

async function suggestFrom(
  snapshot: ReadSnapshot,
  before: string,
  begin: string,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<Suggestion[]> {
  const options = { limit: limit * termsPerSuggestion, sample: formSample, signal };
  const [expanded] = await expandPrefixes(snapshot, [begin], options);
  const terms = expanded?.terms ?? [];
  const forms = await formsIn(snapshot, terms, signal);
  const suggestions = new Map<string, Suggestion>();
  for (const { term, documents } of terms) {
    const word = forms.best(term, prefixOf(begin));
    if (word === undefined || suggestions.has(word)) continue;
    suggestions.set(word, { text: before + word, word, documents });
    if (suggestions.size === limit) break;
  }
  return [...suggestions.values()];
}
