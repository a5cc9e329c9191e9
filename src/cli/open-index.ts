import { areBundledRevisions } from '../embed/bundled/bundled-provider.js';
import { type OpenOptions, SemanticIndex, SemanticIndexError } from '../index.js';
import { chosenModel, type ModelFlags, providerOf } from './model-choice.js';
import type { Terminal } from './terminal.js';

/** An index that a command works on, and the provider that goes with it. */
export interface OpenedIndex {
  readonly index: SemanticIndex;
  readonly model: ModelFlags;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens the index in a folder for a command, with the model that the flags or `init` named.
 *
 * @throws NOT_AN_INDEX when there is none, unless `create` says to make one, and what `SemanticIndex.open` throws.
 */
export async function openIndex(
  folder: string,
  flags: ModelFlags,
  terminal: Terminal,
  options: OpenOptions = {},
): Promise<OpenedIndex> {
  const model = await chosenModel(folder, flags);
  const provider = providerOf({ ...model, keyless: flags.keyless === true });
  try {
    const index = await SemanticIndex.open(folder, {
      create: false,
      onEvent: ({ type, message }) => {
        if (type === 'damage' || type === 'repair' || type === 'error') terminal.note(`${type}: ${message}`);
      },
      ...options,
      provider,
    });
    const close = async (): Promise<void> => {
      await index.close();
      await provider?.close?.();
    };
    return { index, model, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await provider?.close?.();
    throw SemanticIndexError.is(error) ? withAdvice(error, folder) : error;
  }
}

/** The hints of the library name its methods; these name commands. */
function withAdvice(error: SemanticIndexError, folder: string): SemanticIndexError {
  const { code, message, details } = error;
  const hint =
    code === 'NOT_AN_INDEX'
      ? message.includes('not empty')
        ? 'Name a directory that is empty or does not exist yet, or that of an index.'
        : message.includes('is a file')
          ? 'Name the directory of an index, before the other arguments.'
          : `Make one with: semantic-index init ${folder}`
      : code === 'SPACE_MISMATCH'
        ? areBundledRevisions(String(details.expected), String(details.actual))
          ? `The model of the package changed with its version. Move the index to it: semantic-index migrate ${folder} --model bundled`
          : `Name the model of the index with --model: it is ${String(details.expected).split('?', 1)[0]}, ${modelIn(details.expected)}`
        : code === 'CORRUPT' && details.lost === undefined
          ? `Restore a backup, or save what can be read: semantic-index salvage ${folder} ${folder}-saved`
          : undefined;
  return hint === undefined ? error : new SemanticIndexError(code, message, { hint, cause: error, details });
}

function modelIn(fingerprint: unknown): string {
  const facts = String(fingerprint);
  return new URLSearchParams(facts.slice(facts.indexOf('?') + 1)).get('model') ?? facts;
}
