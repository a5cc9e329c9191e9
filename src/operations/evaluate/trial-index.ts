import { analysisFromSetting } from '../../analysis/text-analysis.js';
import { documentsPerRead } from '../../backend/batch-sizes.js';
import { SemanticIndexError } from '../../errors.js';
import { addDefaults, type OpenOptions } from '../../options.js';
import type { DocumentInput, EmbeddingProvider, LongWorkOptions } from '../../types.js';
import { addDocuments } from '../add/add-documents.js';
import { documentOf } from '../checked-document.js';
import type { IndexContext } from '../context.js';
import { storedAnalysis } from '../stored-analysis.js';

/** Opens an index. */
export type OpenIndex = (directory: string, options: OpenOptions) => Promise<IndexContext>;

/**
 * An index in memory with all documents of another one, embedded by `provider`. The vectors go to the shared cache of embeddings,
 * if the index has one, so that a migration to this provider does not pay for them again. Close its backend and space.
 *
 * @throws UNSUPPORTED if a document has a vector of the caller, and what embedding throws.
 */
export async function openTrial(
  { backend, options }: IndexContext,
  provider: EmbeddingProvider,
  open: OpenIndex,
  { signal, onProgress }: { [K in keyof LongWorkOptions]?: LongWorkOptions[K] | undefined },
): Promise<IndexContext> {
  const { embeddings, embeddingsMaxBytes } = options.cache;
  const { language, field, layout } = analysisFromSetting(await storedAnalysis(backend));
  const trial = await open(':memory:', {
    provider,
    metric: backend.metric,
    language,
    languageField: field,
    textFields: layout?.weights,
    textTemplate: layout?.template,
    cache: { embeddings, embeddingsMaxBytes, queries: 0 },
  });
  try {
    const total = await backend.count(undefined, signal);
    const documents = async function* (): AsyncGenerator<DocumentInput> {
      for await (const { documents } of backend.exportBatches(documentsPerRead)) {
        for (const { id, text, metadata, given } of documents) {
          if (given) throw givenVector(id);
          yield documentOf({ id, text, metadata });
        }
      }
    };
    let done = 0;
    await addDocuments(trial, documents(), {
      ...addDefaults,
      signal,
      onProgress: (progress) => {
        done = Math.max(done, progress.done);
        onProgress?.({ stage: 'embed', done, total });
      },
    });
    return trial;
  } catch (error) {
    await closeTrial(trial);
    throw error;
  }
}

export async function closeTrial({ backend, space, recall }: IndexContext): Promise<void> {
  await recall.stop();
  await backend.close();
  await space.shared.close();
}

function givenVector(id: string | number): SemanticIndexError {
  return new SemanticIndexError(
    'UNSUPPORTED',
    `evaluate: the vector of the document ${JSON.stringify(id)} was given by the caller, which no provider can make`,
    { hint: 'Compare providers on an index whose vectors are made from the texts.' },
  );
}
