import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import {
  bundledProvider,
  type EmbeddingProvider,
  openaiProvider,
  SemanticIndexError,
  transformersProvider,
} from '../index.js';
import { positiveInteger } from './arguments.js';

/** Flags that name the embedding model. */
export interface ModelFlags {
  /** `bundled`, `bundled:FOLDER`, `openai:MODEL`, `transformers:MODEL` or `none`. */
  readonly model?: string;
  readonly baseUrl?: string;
  readonly apiKeyEnv?: string;
  readonly dimensions?: number;
  /** Whether the service will not be asked for anything, so that a key may be missing. */
  readonly keyless?: boolean;
  /** How often a request to the service is tried again; as often as the provider does unless given. */
  readonly retries?: number;
}

const fileName = 'cli.json';

/** Adds the flags that name a model to a command. */
export function withModelFlags(command: Command): Command {
  return command
    .option('-m, --model <model>', 'bundled, bundled:FOLDER, openai:MODEL, transformers:MODEL or none')
    .option('--base-url <url>', 'with openai: another service with the same API')
    .option('--api-key-env <name>', 'with openai: the environment variable that holds the key')
    .option('--dimensions <number>', 'with openai and transformers: shorter vectors', positiveInteger);
}

/**
 * The model of an index: what the flags name, else what `init` noted in `cli.json` beside the index, else the bundled
 * one.
 */
export async function chosenModel(folder: string, flags: ModelFlags): Promise<ModelFlags> {
  if (flags.model !== undefined) return flags;
  try {
    return { ...(JSON.parse(await readFile(join(folder, fileName), 'utf8')) as ModelFlags), ...named(flags) };
  } catch (cause) {
    if (cause instanceof SyntaxError) {
      throw new SemanticIndexError('INVALID_FILE', `${join(folder, fileName)} is no JSON`, {
        cause,
        hint: 'Remove it, and name the model with --model.',
      });
    }
    return { model: 'bundled', ...named(flags) };
  }
}

/** Notes the model of an index, so that later commands need no flags. Keys are never noted, only where they are. */
export async function noteModel(folder: string, flags: ModelFlags): Promise<void> {
  await writeFile(join(folder, fileName), `${JSON.stringify(named(flags), null, 2)}\n`);
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
 * @throws INVALID_ARGUMENT for a model that is none, and what the provider throws.
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
  if (kind === 'transformers' && name !== undefined) return transformersProvider({ model: name, dimensions });
  throw new SemanticIndexError('INVALID_ARGUMENT', `--model: there is no ${JSON.stringify(model)}`, {
    hint: 'Name bundled, bundled:FOLDER, openai:MODEL, transformers:MODEL or none.',
  });
}
