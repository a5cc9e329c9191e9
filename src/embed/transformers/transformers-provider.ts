import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { SemanticIndexError } from '../../errors.js';
import {
  defaultCacheFolder,
  describe,
  resolveOptions,
  type TransformersProviderOptions,
  transformersProviderDefaults,
} from '../../options.js';
import type { EmbeddingProvider } from '../../types.js';
import { fallbackVector } from '../fallback-vector.js';
import { fingerprintOf } from '../fingerprint.js';
import { familyOf } from '../model-families.js';
import { TransformersClient } from './transformers-client.js';

/** Tried in this order. */
/** Packages that run the models, in the order in which they are tried. */
export const packages = ['@huggingface/transformers', '@xenova/transformers'];

/**
 * A provider for any embedding model with ONNX weights, from a local directory or the Hugging Face hub, run by
 * transformers.js (`@huggingface/transformers` or `@xenova/transformers`: optional peers, imported at the first call).
 *
 * Runs in a worker thread, so the event loop stays free; queries are served before documents. Pooling ignores padding,
 * so the vector of a text does not depend on its batch. Pooling and prefixes default to the settings that the known
 * families (e5, bge, gte, nomic, arctic, ...) were trained with. Longer texts are truncated to `maxTokens`.
 *
 * Call `close()` when done to end the worker and free the model.
 *
 * @throws INVALID_ARGUMENT, UNKNOWN_OPTION, MODEL_NOT_FOUND for a directory without a model; calls throw MISSING_PEER,
 * MODEL_NOT_FOUND, UNSUPPORTED, PROVIDER_FAILED and CLOSED.
 */
export function transformersProvider(options: TransformersProviderOptions): EmbeddingProvider {
  const settings = resolveOptions('transformersProvider', options, transformersProviderDefaults);
  const { model, pooling, normalize, maxTokens, dimensions } = settings;
  checkSettings(settings);
  const folder = localFolder(model);
  const family = familyOf(folder ?? model);
  const queryPrefix = settings.queryPrefix ?? family.queryPrefix;
  const documentPrefix = settings.documentPrefix ?? family.documentPrefix;
  const dtype = settings.dtype ?? (folder === undefined ? 'fp32' : weightsIn(folder));
  const client = new TransformersClient({
    task: 'embed',
    packages: settings.package === undefined ? packages : [settings.package],
    model: folder === undefined ? model : basename(folder),
    localPath: folder === undefined ? undefined : dirname(folder),
    revision: settings.revision,
    dtype,
    pooling,
    familyPooling: family.pooling,
    normalize,
    maxTokens,
    dimensions,
    batchSize: settings.batchSize,
    cacheDir: resolve(settings.cacheDir ?? defaultCacheFolder()),
    offline: settings.offline || folder !== undefined,
    remoteHost: settings.remoteHost,
  });

  return {
    id: fingerprintOf('transformers', {
      model: folder === undefined ? model : basename(folder),
      revision: folder === undefined ? settings.revision : revisionOf(folder, dtype),
      dtype,
      pooling: pooling ?? `model or ${family.pooling}`,
      normalize,
      query: queryPrefix,
      document: documentPrefix,
      maxTokens,
      dimensions,
    }),
    ...(dimensions === undefined ? {} : { dimensions }),
    maxBatchSize: 256,
    // A second call keeps the worker busy while the first result is committed.
    maxParallelCalls: 2,
    async embed(texts, { role, signal }) {
      const prefix = role === 'query' ? queryPrefix : documentPrefix;
      const {
        numbers,
        dimensions: width,
        tokens,
      } = await client.embed(
        texts.map((text) => prefix + text),
        role === 'query',
        signal,
      );
      const vectors = texts.map((text, row) => {
        const vector = numbers.slice(row * width, (row + 1) * width);
        return vector.some((value) => value !== 0) ? vector : fallbackVector(text, width);
      });
      return { vectors, usage: { tokens } };
    },
    close: () => client.close(),
  };
}

function checkSettings(settings: typeof transformersProviderDefaults): void {
  const refuse = (name: string, rule: string, value: unknown): SemanticIndexError =>
    new SemanticIndexError('INVALID_ARGUMENT', `transformersProvider: ${name} must be ${rule}, got ${describe(value)}`);
  if (typeof settings.model !== 'string' || settings.model === '') {
    throw refuse('model', 'the name or directory of a model', settings.model);
  }
  for (const name of ['maxTokens', 'dimensions', 'batchSize'] as const) {
    const value = settings[name];
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1))
      throw refuse(name, 'a positive integer', value);
  }
  if (settings.pooling !== undefined && !['mean', 'cls', 'last'].includes(settings.pooling)) {
    throw refuse('pooling', '"mean", "cls" or "last"', settings.pooling);
  }
}

/** The directory of a model, if its name is a path or an existing directory; otherwise it is a name on the hub. */
export function localFolder(model: string): string | undefined {
  const folder = resolve(model);
  if (existsSync(join(folder, 'config.json'))) return folder;
  if (!isAbsolute(model) && !/^\.{0,2}[\\/]|^~/.test(model)) return undefined;
  throw new SemanticIndexError('MODEL_NOT_FOUND', `${folder} has no config.json`, {
    hint: 'Pass a directory in Hugging Face layout: config.json, tokenizer.json, tokenizer_config.json, onnx/model.onnx.',
  });
}

/** The precision of the weights in a directory. */
export function weightsIn(folder: string): string {
  const has = (name: string): boolean => existsSync(join(folder, 'onnx', name));
  return !has('model.onnx') && has('model_quantized.onnx') ? 'q8' : 'fp32';
}

/** A short hash of the state of a directory: its config, and the sizes of the large files. */
function revisionOf(folder: string, dtype: string): string {
  const hash = createHash('sha256').update(readFileSync(join(folder, 'config.json')));
  const weights = dtype === 'q8' ? 'model_quantized.onnx' : 'model.onnx';
  for (const name of ['tokenizer.json', join('onnx', weights)]) {
    const size = statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
    hash.update(`;${name.replaceAll('\\', '/')}:${size}`);
  }
  return hash.digest('hex').slice(0, 12);
}
