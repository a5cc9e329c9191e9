import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { SemanticIndexError } from '../index.js';
import type { ModelFlags } from './model-choice.js';

/**
 * Whether a model that an index directory names needs the consent of the user: it names an address, a variable that holds a
 * key, a file outside of the directory, or something to download. The bundled model and OpenAI's own service under the
 * usual variable do not.
 */
export function needsTrust({ model = 'bundled', baseUrl, apiKeyEnv }: ModelFlags): boolean {
  return baseUrl !== undefined || apiKeyEnv !== undefined || !/^(?:bundled|none|openai(?::.*)?)$/s.test(model);
}

/** Whether the user has allowed this model, for any directory: with `trust`, or by naming it for an index of their own. */
export async function isTrusted(model: ModelFlags): Promise<boolean> {
  return (await readList()).includes(entryOf(model));
}

/** Adds a model to the list of the user. @throws IO when the list cannot be written. */
export async function trustModel(model: ModelFlags): Promise<void> {
  const known = await readList();
  if (known.includes(entryOf(model))) return;
  const path = listPath();
  const partial = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(partial, `${JSON.stringify([...known, entryOf(model)], null, 2)}\n`, { mode: 0o600 });
    await rename(partial, path);
  } catch (cause) {
    throw new SemanticIndexError('IO', `Cannot write ${path}`, {
      cause,
      hint: 'Pass --model, --base-url and --api-key-env to each command instead, or set XDG_CONFIG_HOME to a directory that can be written.',
    });
  }
}

/** What is allowed as one line of text: which key goes to which address, or which model is loaded. */
function entryOf({ model = 'bundled', baseUrl, apiKeyEnv }: ModelFlags): string {
  const [kind = '', ...rest] = model.split(':');
  const name = rest.join(':');
  if (kind === 'openai') return `openai ${baseUrl ?? 'default address'} key ${apiKeyEnv ?? 'OPENAI_API_KEY'}`;
  // A relative path means another model in another working directory.
  return `${kind} ${kind === 'bundled' || kind === 'static' || name.startsWith('.') ? resolve(name) : name}`;
}

function listPath(): string {
  const { XDG_CONFIG_HOME, APPDATA } = process.env;
  const base = XDG_CONFIG_HOME || (process.platform === 'win32' && APPDATA) || join(homedir(), '.config');
  return join(base, 'semantic-index', 'trusted-models.json');
}

async function readList(): Promise<string[]> {
  try {
    const list: unknown = JSON.parse(await readFile(listPath(), 'utf8'));
    return Array.isArray(list) ? list.filter((entry) => typeof entry === 'string') : [];
  } catch {
    return []; // Without a list that can be read nothing is trusted.
  }
}
