import type { Command } from 'commander';
import {
  bundledProvider,
  type EmbeddingProvider,
  openaiProvider,
  SemanticIndexError,
  staticProvider,
  transformersProvider,
} from '../index.js';
import { positiveInteger } from './arguments.js';
import { notedModel } from './noted-model.js';
import { isTrusted, needsTrust } from './trusted-models.js';

/** Flags that name the embedding model. */
export interface ModelFlags {
  /** `bundled`, `bundled:FOLDER`, `static:FOLDER`, `openai:MODEL`, `transformers:MODEL` or `none`. */
  readonly model?: string;
  readonly baseUrl?: string;
  readonly apiKeyEnv?: string;
  readonly dimensions?: number;
  /** The service is not called, so a key may be missing. */
  readonly keyless?: boolean;
  /** Retries of a request to the service. Default: that of the provider. */
  readonly retries?: number;
}

/** Adds the flags that name a model to a command. */
export function withModelFlags(command: Command): Command {
  return command
    .option('-m, --model <model>', 'bundled, bundled:FOLDER, static:FOLDER, openai:MODEL, transformers:MODEL or none')
    .option('--base-url <url>', 'with openai: another service with the same API')
    .option('--api-key-env <name>', 'with openai: the environment variable that holds the key')
    .option('--dimensions <number>', 'with openai and transformers: shorter vectors', positiveInteger);
}

/**
 * The model of an index: what the flags name, else what `cli.json` beside the index notes, else the bundled one. A directory
 * may come from someone else: an address, the name of a key, and a model to load are followed only when the user has
 * allowed them.
 *
 * @throws UNTRUSTED when the directory names one of these that the user has not allowed; INVALID_FILE, IO.
 */
export async function chosenModel(folder: string, flags: ModelFlags): Promise<ModelFlags> {
  if (flags.model !== undefined) return flags;
  const noted = (await notedModel(folder)) ?? { model: 'bundled' };
  const chosen = { ...noted, ...named(flags) };
  if (needsTrust(noted) && !(await isTrusted(chosen))) throw untrusted(folder, noted);
  return chosen;
}

function untrusted(folder: string, { model = 'bundled', baseUrl, apiKeyEnv }: ModelFlags): SemanticIndexError {
  const names = [
    `the model ${model}`,
    ...(baseUrl ? [`the address ${baseUrl}`] : []),
    ...(apiKeyEnv ? [`the key in ${apiKeyEnv}`] : []),
  ];
  return new SemanticIndexError('UNTRUSTED', `${folder} asks for ${names.join(', ')}, which you have not allowed`, {
    hint: `If you trust it: semantic-index trust ${folder}. Otherwise name the model yourself, with --model.`,
    details: { model, baseUrl, apiKeyEnv },
  });
}

function named({ model, baseUrl, apiKeyEnv, dimensions }: ModelFlags): ModelFlags {
  return {
    ...(model === undefined ? {} : { model }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(apiKeyEnv === undefined ? {} : { apiKeyEnv }),
    ...(dimensions === undefined ? {} : { dimensions }),
  };
}

/**
 * The provider that a choice stands for; null for an index of the caller's own vectors.
 *
 * @throws INVALID_ARGUMENT for an unknown model, and errors of the provider.
 */
export function providerOf({
  model = 'bundled',
  baseUrl,
  apiKeyEnv,
  dimensions,
  keyless = false,
  retries,
}: ModelFlags): EmbeddingProvider | null {
  const colon = model.indexOf(':');
  const [kind, name] = colon < 0 ? [model, undefined] : [model.slice(0, colon), model.slice(colon + 1)];
  if (kind === 'none') return null;
  if (kind === 'bundled') return bundledProvider({ folder: name });
  if (kind === 'openai') {
    const key = process.env[apiKeyEnv ?? 'OPENAI_API_KEY'] ?? (keyless ? 'none' : '');
    return openaiProvider({
      ...(name === undefined ? {} : { model: name }),
      ...(apiKeyEnv === undefined && !keyless ? {} : { apiKey: key }),
      baseURL: baseUrl,
      dimensions,
      maxRetries: retries,
    });
  }
  if (kind === 'static' && name !== undefined) return staticProvider(name);
  if (kind === 'transformers' && name !== undefined) return transformersProvider({ model: name, dimensions });
  throw new SemanticIndexError('INVALID_ARGUMENT', `--model: there is no ${JSON.stringify(model)}`, {
    hint: 'Name bundled, bundled:FOLDER, static:FOLDER, openai:MODEL, transformers:MODEL or none.',
  });
}
