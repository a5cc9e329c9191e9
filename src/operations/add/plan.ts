import { embeddedTextOf } from '../../analysis/fields/stored-text.js';
import { documentsPerRead } from '../../backend/batch-sizes.js';
import { contentHash } from '../../backend/content-hash.js';
import type { DocumentChange } from '../../backend/documents.js';
import type { ResolvedPlanOptions } from '../../options.js';
import { TimeSlice } from '../../time-slice.js';
import type { AddPlan, Documents, Metadata } from '../../types.js';
import { type CheckedDocument, checkDocument } from '../checked-document.js';
import type { OperationContext } from '../context.js';
import { storedLayout } from '../stored-analysis.js';

type Sums = { -readonly [K in 'documents' | 'new' | 'changed' | 'unchanged' | 'cached' | 'embed' | 'tokens']: number };

/** Estimates what `addDocuments` would embed, and the cost and time of that; asks the provider for no vector. */
export async function planAdd<M extends Metadata>(
  context: OperationContext,
  documents: Documents<M>,
  options: ResolvedPlanOptions,
): Promise<AddPlan> {
  const { pricePerMillionTokens, signal } = options;
  const layout = await storedLayout(context.backend);
  const count = await context.space.tokenCounter();
  const sums: Sums = { documents: 0, new: 0, changed: 0, unchanged: 0, cached: 0, embed: 0, tokens: 0 };
  const planned = new Set<string>();
  const slice = new TimeSlice();
  let characters = 0;
  let batch: CheckedDocument[] = [];
  const take = async (): Promise<void> => {
    for (const text of await unknownTexts(context, batch, planned, sums)) {
      sums.embed++;
      sums.tokens += count.tokens(text);
      characters += text.length;
      if (slice.due()) await slice.yieldIfDue(signal);
    }
    batch = [];
  };
  for await (const input of documents) {
    batch.push(checkDocument(input, sums.documents++, layout));
    if (slice.due()) await slice.yieldIfDue(signal);
    if (batch.length === documentsPerRead) await take();
  }
  if (batch.length > 0) await take();
  const pace = await context.space.charactersPerSecond();
  return {
    ...sums,
    counted: count.exact,
    ...(pricePerMillionTokens === undefined ? {} : { cost: (sums.tokens / 1e6) * pricePerMillionTokens }),
    ...(pace === undefined && characters > 0 ? {} : { seconds: characters / (pace ?? 1) }),
  };
}

/** Texts of a batch without a known vector, each once; the rest is counted. */
async function unknownTexts(
  { backend, space: embedding }: OperationContext,
  batch: readonly CheckedDocument[],
  planned: Set<string>,
  sums: Sums,
): Promise<string[]> {
  const changes = await backend.classify(batch);
  const wanted = new Map<string, string>();
  batch.forEach(({ hash, text, vector }, position) => {
    const change = changes[position] as DocumentChange;
    sums[change]++;
    if (change !== 'unchanged' && vector === undefined && !planned.has(hash)) wanted.set(hash, embeddedTextOf(text));
  });
  const hashes = [...wanted.keys()];
  const { space } = backend;
  const found = space === undefined ? [] : await backend.findVectors(space.space, 'document', hashes);
  for (const hash of hashes) planned.add(hash);
  const own = hashes.filter((_, position) => (found[position] ?? 0) === 0);
  const elsewhere = await embedding.knownElsewhere(own.map((hash) => contentHash(wanted.get(hash) as string)));
  const unknown = own.filter((_, position) => elsewhere[position] === false);
  sums.cached += hashes.length - unknown.length;
  return unknown.map((hash) => wanted.get(hash) as string);
}
