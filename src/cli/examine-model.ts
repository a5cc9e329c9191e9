import { type Check, SemanticIndex } from '../index.js';
import { failedCheck } from './doctor.js';
import { chosenModel, type ModelFlags, providerOf } from './model-choice.js';
import { openIndex } from './open-index.js';
import type { Terminal } from './terminal.js';

const sentence = 'The model turns this sentence into numbers.';

/**
 * Whether the model that is used turns text into vectors, and those of the index: the model that the flags or `init`
 * named, else the bundled one. One sentence is embedded, by a service too.
 */
export async function examineModel(folder: string | undefined, flags: ModelFlags, terminal: Terminal): Promise<Check> {
  const severity = 'error';
  const of = folder === undefined ? '' : `, of ${folder}`;
  let name = 'bundled';
  try {
    const model = folder === undefined ? flags : await chosenModel(folder, flags);
    name = model.model ?? name;
    const space = folder === undefined ? undefined : await spaceOf(folder);
    if (name === 'none' || (flags.model === undefined && space?.startsWith('given:') === true)) {
      return { check: 'model', passed: true, severity, message: `none${of}: vectors are given by the caller` };
    }
    // Refuses a model that did not make the index, and says which did.
    if (folder !== undefined && space !== undefined) {
      await (await openIndex(folder, model, terminal, { readonly: true })).close();
    }
    const { dimensions, provider, milliseconds } = await embedOnce(model);
    const message = `${name}${of}: ${dimensions} dimensions, loaded and used in ${milliseconds} ms (${provider})`;
    return { check: 'model', passed: true, severity, message };
  } catch (error) {
    const failure = failedCheck('model', error, 'Install the package again: its directory models/ is incomplete.');
    return { ...failure, message: `${name}${of}: ${failure.message}` };
  }
}

/** The model of the vectors of an index; undefined without vectors or without an index. */
async function spaceOf(folder: string): Promise<string | undefined> {
  try {
    await using index = await SemanticIndex.open(folder, { create: false, readonly: true, provider: null });
    return (await index.stats()).provider;
  } catch {
    // Faults of the index are reported by the check of the index.
    return undefined;
  }
}

async function embedOnce(model: ModelFlags) {
  const began = performance.now();
  // A diagnosis should not wait a minute for retries.
  const provider = providerOf({ ...model, retries: 1 });
  try {
    await using index = await SemanticIndex.open(':memory:', { provider });
    await index.addDocuments([sentence]);
    const { dimensions, provider: fingerprint } = await index.stats();
    return { dimensions, provider: fingerprint, milliseconds: Math.round(performance.now() - began) };
  } finally {
    await provider?.close?.();
  }
}
