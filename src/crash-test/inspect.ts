import { deterministicProvider } from '../embed/testing/deterministic-provider.js';
import type { Random } from '../random.js';
import { SemanticIndex } from '../semantic-index.js';
import type { Document, DocumentId } from '../types.js';
import { scoreAll, searchFault } from './exact-search.js';
import { scoreTexts } from './exact-texts.js';
import type { WrittenDocument } from './messages.js';

const provider = deterministicProvider({ dimensions: 16 });
const searchesPerInspection = 4;

/** Result of an inspection: all documents, and faults other than missing or wrong documents. */
export interface Inspection {
  readonly documents: ReadonlyMap<DocumentId, Document>;
  readonly faults: readonly string[];
}

/**
 * Opens the index of a killed writer as a user would, reads everything, and checks that it is consistent.
 *
 * `removed` lists files that the crash test removed.
 */
export async function inspectIndex(
  directory: string,
  random: Random,
  { removed, readonly }: { removed: readonly string[]; readonly: boolean },
): Promise<Inspection> {
  const faults: string[] = [];
  const isExpected = (message: string): boolean => removed.some((file) => message.includes(file));
  const index = await SemanticIndex.open(directory, {
    provider,
    readonly,
    onEvent: ({ type, message }) => {
      const isDamage = ['damage', 'graph-missing', 'terms-missing', 'columns-missing'].includes(type);
      if (type === 'error' || (isDamage && !isExpected(message))) faults.push(`${type}: ${message}`);
    },
    ann: { background: random.chance(0.3), threads: 1, trees: 4 },
  });
  try {
    const documents = await readAll(index);
    const { checks } = await index.validate({ level: 'full' });
    for (const { check, passed, severity, message } of checks) {
      const expected = severity === 'info' || (severity === 'warning' && isExpected(message));
      if (!passed && !expected) faults.push(`validate: ${check}: ${message}`);
    }
    const count = await index.count();
    if (count !== documents.size)
      faults.push(`expected a count of ${documents.size}, as many documents as are listed, got ${count}`);
    return { documents, faults };
  } finally {
    await index.close();
  }
}

async function readAll(index: SemanticIndex): Promise<Map<DocumentId, Document>> {
  const documents = new Map<DocumentId, Document>();
  let after: string | undefined;
  do {
    const page = await index.listDocuments({ limit: 500, after });
    for (const document of page.documents) documents.set(document.id, document);
    after = page.next;
  } while (after !== undefined);
  return documents;
}

/** Compares searches with brute force over the documents that the index must hold; describes each difference. */
export async function inspectSearches(
  directory: string,
  documents: readonly WrittenDocument[],
  random: Random,
): Promise<string[]> {
  const faults: string[] = [];
  const { vectors } = await provider.embed(
    documents.map(({ text }) => text),
    { role: 'document' },
  );
  const all = documents.map((document, position) => ({
    ...document,
    vector: document.vector ?? (vectors[position] as Float32Array),
  }));
  const index = await SemanticIndex.open(directory, {
    provider,
    readonly: random.chance(0.5),
    ann: { background: false },
  });
  try {
    for (let position = 0; position < searchesPerInspection; position++) {
      const exact = random.chance(0.5);
      const group = random.chance(0.3) ? random.integer(12) : undefined;
      const matching = group === undefined ? all : all.filter(({ metadata }) => metadata.group === group);
      const query = Float32Array.from({ length: 16 }, () => random.number() - 0.5);
      const k = random.pick([1, 10, 5_000]);
      const where = group === undefined ? undefined : { group };
      const { hits } = await index.search(query, { k, exact, where });
      const fault = searchFault(hits, scoreAll(matching, query), k, exact);
      if (fault !== undefined) faults.push(`search (k ${k}, exact ${exact}, group ${group}): ${fault}`);
    }
    for (const { text } of all.slice(0, 3)) {
      const { hits } = await index.search(text, { k: 50, mode: 'text', typos: false });
      const fault = searchFault(hits, scoreTexts(all, text), 50, true);
      if (fault !== undefined) faults.push(`text search for ${JSON.stringify(text)}: ${fault}`);
    }
  } finally {
    await index.close();
  }
  return faults;
}
