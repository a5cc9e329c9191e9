import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { SemanticIndexError } from '../../errors.js';

/** How token rows become the vector of a text. */
export interface StaticFolder {
  readonly layout: 'model2vec' | 'sentence-transformers';
  /** Path of the tokenizer and of the weights. */
  readonly tokenizerPath: string;
  readonly weightsPath: string;
  /** Name of the table among the tensors. */
  readonly tableName: string;
  /** Scale vectors to length 1. */
  readonly normalize: boolean;
  /** First digits of a hash of the files that change a vector. */
  readonly revision: string;
  readonly dimensions: number;
}

type Json = Readonly<Record<string, unknown>>;

const hint = 'Pass a directory of model2vec, or of sentence-transformers with a StaticEmbedding module.';
/** Bytes of the weights at either end that are part of the revision, which must be known at once. */
const hashedBytes = 1 << 20;
const maxHeaderBytes = 100_000_000;

/**
 * Reads how a directory is laid out: `config.json` with `model_type` `model2vec` (github.com/MinishLab/model2vec), or `modules.json` with a
 * `StaticEmbedding` module (sbert.net).
 *
 * @throws MODEL_NOT_FOUND for a missing file, INVALID_FILE for another kind of model or a damaged file.
 */
export function readStaticFolder(folder: string): StaticFolder {
  const config = readJson(join(folder, 'config.json'));
  const isModel2Vec = (config as Json | undefined)?.model_type === 'model2vec';
  return isModel2Vec ? model2Vec(folder, config as Json) : sentenceTransformers(folder);
}

function model2Vec(folder: string, config: Json): StaticFolder {
  const { normalize } = config;
  if (normalize !== undefined && typeof normalize !== 'boolean') {
    throw invalid(join(folder, 'config.json'), 'normalize must be true or false');
  }
  return described(folder, 'model2vec', 'embeddings', normalize ?? false);
}

function sentenceTransformers(folder: string): StaticFolder {
  const path = join(folder, 'modules.json');
  const modules = readJson(path);
  if (modules === undefined) {
    throw new SemanticIndexError(
      'MODEL_NOT_FOUND',
      `${folder} has neither a config.json of model2vec nor a modules.json`,
      {
        hint,
      },
    );
  }
  const list = Array.isArray(modules) ? (modules as Json[]) : [];
  const kinds = list.map(({ type }) => String(type).split('.').at(-1));
  const others = kinds.filter((kind) => kind !== 'StaticEmbedding' && kind !== 'Normalize');
  if (kinds[0] !== 'StaticEmbedding' || others.length > 0) {
    const found = kinds.length === 0 ? 'no modules' : kinds.join(', ');
    throw invalid(path, `expected the modules StaticEmbedding and perhaps Normalize, found ${found}`, true);
  }
  const { path: inside = '' } = list[0] as { path?: unknown };
  if (typeof inside !== 'string' || inside.startsWith('/') || inside.split(/[\\/]/).includes('..')) {
    throw invalid(path, 'the path of a module must lie in the directory');
  }
  return described(join(folder, inside), 'sentence-transformers', 'embedding.weight', kinds.includes('Normalize'));
}

function described(
  folder: string,
  layout: StaticFolder['layout'],
  tableName: string,
  normalize: boolean,
): StaticFolder {
  const [tokenizerPath, weightsPath] = [join(folder, 'tokenizer.json'), join(folder, 'model.safetensors')];
  const { header, ends } = readEnds(weightsPath);
  // sentence-transformers reads tables of model2vec, too.
  const name = [tableName, 'embeddings'].find((each) => header[each] !== undefined);
  const shape = name === undefined ? undefined : (header[name] as Json | null)?.shape;
  if (name === undefined || !Array.isArray(shape) || shape.length !== 2 || !(Number(shape[1]) > 0)) {
    throw invalid(
      weightsPath,
      `expected a table "${tableName}" with two sides, found ${Object.keys(header).join(', ') || 'nothing'}`,
    );
  }
  const hash = createHash('sha256').update(ends).update(readBytes(tokenizerPath));
  return {
    layout,
    tokenizerPath,
    weightsPath,
    tableName: name,
    normalize,
    revision: hash.digest('hex').slice(0, 16),
    dimensions: Number(shape[1]),
  };
}

/** The header of a safetensors file, and its first and last bytes. */
function readEnds(path: string): { header: Json; ends: Buffer } {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw missing(path, error);
  }
  try {
    const { size } = fstatSync(file);
    const take = (length: number, position: number): Buffer => {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - position)));
      readSync(file, bytes, 0, bytes.length, position);
      return bytes;
    };
    const length = size < 8 ? Number.POSITIVE_INFINITY : Number(take(8, 0).readBigUInt64LE());
    if (length > Math.min(size - 8, maxHeaderBytes)) throw invalid(path, 'it is not a safetensors file');
    let header: unknown;
    try {
      header = JSON.parse(take(length, 8).toString('utf8'));
    } catch (error) {
      throw invalid(path, 'its header is not JSON', false, error);
    }
    const ends = Buffer.concat([
      take(hashedBytes, 0),
      take(hashedBytes, Math.max(0, size - hashedBytes)),
      Buffer.from(`${size}`),
    ]);
    return { header: (typeof header === 'object' && header !== null ? header : {}) as Json, ends };
  } finally {
    closeSync(file);
  }
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw missing(path, error);
  }
}

/** Undefined when there is no such file. */
function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw missing(path, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(path, 'it is not JSON', false, error);
  }
}

function missing(path: string, cause: unknown): SemanticIndexError {
  return new SemanticIndexError('MODEL_NOT_FOUND', `Cannot read ${path}: ${(cause as Error).message}`, { hint, cause });
}

function invalid(path: string, what: string, another = false, cause?: unknown): SemanticIndexError {
  return new SemanticIndexError('INVALID_FILE', `${path}: ${what}`, {
    hint: another ? 'Load models with other modules by transformersProvider.' : 'Fetch the model again.',
    cause,
  });
}
