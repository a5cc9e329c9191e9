import { parentPort } from 'node:worker_threads';
import { TermPacker } from '../../analysis/term-packer.js';
import { SemanticIndexError } from '../../errors.js';
import { readStaticModelConfig, StaticModel } from '../bundled/static-model.js';
import { unitVector } from '../check-vectors.js';
import type { PreparedTexts, TextCall, TextReply, TextRequest } from './text-messages.js';

// The body of a text thread: embeds and analyzes batches of texts, one after the other.

const port = parentPort as NonNullable<typeof parentPort>;
const packer = new TermPacker();
const models = new Map<string, Promise<StaticModel>>();
let last: Promise<void> = Promise.resolve();

async function answer({ call, ...request }: NonNullable<TextCall>): Promise<void> {
  try {
    const prepared = await prepare(request);
    const transfer = [prepared.vectors, prepared.terms].flatMap((bytes) => bytes?.buffer ?? []);
    port.postMessage({ call, ...prepared } satisfies TextReply, transfer);
  } catch (error) {
    port.postMessage({ call, error: partsOf(error) } satisfies TextReply);
  }
}

async function prepare({ texts, model, embed, analyze }: TextRequest): Promise<PreparedTexts> {
  const embedded =
    model === undefined ? undefined : embedAll(await loaded(model), embed ?? texts.map((_, at) => at), texts);
  if (analyze) for (let place = 0; place < texts.length; place++) packer.add(place, texts[place] as string);
  return { vectors: embedded?.vectors, tokens: embedded?.tokens ?? 0, terms: analyze ? packer.take() : undefined };
}

function embedAll(
  model: StaticModel,
  places: readonly number[],
  texts: readonly string[],
): { vectors: Float32Array<ArrayBuffer>; tokens: number } {
  const vectors = new Float32Array(places.length * model.dimensions);
  let tokens = 0;
  for (let row = 0; row < places.length; row++) {
    const embedded = model.embed(texts[places[row] as number] as string);
    vectors.set(checkedUnit(embedded.vector), row * model.dimensions);
    tokens += embedded.tokens;
  }
  return { vectors, tokens };
}

/** Scaled as `checkVectors` scales what a provider returns: a text has the same vector, to the bit, wherever it is embedded. */
function checkedUnit(vector: Float32Array): Float32Array {
  const unit = unitVector(vector);
  if (typeof unit === 'string') throw new SemanticIndexError('INTERNAL', `The vector of a text is ${unit}`);
  return unit;
}

function loaded(folder: string): Promise<StaticModel> {
  const loading = models.get(folder) ?? StaticModel.load(folder, readStaticModelConfig(folder));
  models.set(folder, loading);
  loading.catch(() => models.delete(folder));
  return loading;
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
