import { parentPort } from 'node:worker_threads';
import { type PreparedTexts, TextPreparer } from '../../analysis/text-preparer.js';
import { SemanticIndexError } from '../../errors.js';
import { readStaticModelConfig, StaticModel } from '../bundled/static-model.js';
import type { TextCall, TextReply, TextRequest } from './text-messages.js';

// The body of a text thread: embeds and analyzes batches of texts, one after the other.

const port = parentPort as NonNullable<typeof parentPort>;
/** By directory of their model. */
const preparers = new Map<string | undefined, Promise<TextPreparer>>();
let last: Promise<void> = Promise.resolve();

async function answer({ call, cancelled, ...request }: NonNullable<TextCall>): Promise<void> {
  const checkWanted = (): void => {
    if (cancelled !== undefined && Atomics.load(cancelled, 0) !== 0) throw new Cancelled();
  };
  try {
    const prepared = await prepare(request, checkWanted);
    const transfer = [prepared.vectors, prepared.terms].flatMap((bytes) => bytes?.buffer ?? []);
    port.postMessage({ call, ...prepared } satisfies TextReply, transfer);
  } catch (error) {
    port.postMessage({ call, error: partsOf(error) } satisfies TextReply);
  }
}

/** The answer is not wanted any more: no caller waits for it. */
class Cancelled extends Error {}

async function prepare(request: TextRequest, checkWanted: () => void): Promise<PreparedTexts> {
  checkWanted();
  const preparer = await preparerOf(request.model);
  return preparer.prepare(request.texts, request, checkWanted);
}

function preparerOf(folder: string | undefined): Promise<TextPreparer> {
  const loading = preparers.get(folder) ?? load(folder);
  preparers.set(folder, loading);
  loading.catch(() => preparers.delete(folder));
  return loading;
}

async function load(folder: string | undefined): Promise<TextPreparer> {
  if (folder === undefined) return new TextPreparer();
  const model = await StaticModel.load(folder, readStaticModelConfig(folder));
  return new TextPreparer(model.tokenModel());
}

function partsOf(error: unknown): Extract<TextReply, { error: unknown }>['error'] {
  const { code, message, hint, details } = SemanticIndexError.is(error)
    ? error
    : new SemanticIndexError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
  return { code, message, hint, details, stack: error instanceof Error ? error.stack : undefined };
}

port.on('message', (call: TextCall) => {
  last = last.then(async () => {
    if (call === null) port.close();
    else await answer(call);
  });
});
