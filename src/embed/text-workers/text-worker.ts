import { parentPort } from 'node:worker_threads';
import { PieceTable } from '../../analysis/piece-table.js';
import { TermPacker } from '../../analysis/term-packer.js';
import { SemanticIndexError } from '../../errors.js';
import { PieceEmbedder } from '../bundled/piece-embedder.js';
import { readStaticModelConfig, StaticModel } from '../bundled/static-model.js';
import { unitVector } from '../check-vectors.js';
import type { PreparedTexts, TextCall, TextReply, TextRequest } from './text-messages.js';

// The body of a text thread: embeds and analyzes batches of texts, one after the other.

const port = parentPort as NonNullable<typeof parentPort>;
const table = new PieceTable();
const packer = new TermPacker(table);
const embedders = new Map<string, Promise<Embedder>>();
let last: Promise<void> = Promise.resolve();

interface Embedder {
  readonly dimensions: number;
  readonly pieces: PieceEmbedder;
}

async function answer({ call, cancelled, ...request }: NonNullable<TextCall>): Promise<void> {
  const checkWanted = (): void => {
    if (cancelled !== undefined && Atomics.load(cancelled, 0) !== 0) throw new Cancelled();
  };
  try {
    const prepared = await prepare(request, checkWanted);
    const transfer = [prepared.vectors, prepared.terms].flatMap((bytes) => bytes?.buffer ?? []);
    port.postMessage({ call, ...prepared } satisfies TextReply, transfer);
  } catch (error) {
    // What was analyzed before the failure belongs to no batch.
    packer.take();
    port.postMessage({ call, error: partsOf(error) } satisfies TextReply);
  }
}

/** The answer is not wanted any more: no caller waits for it. */
class Cancelled extends Error {}

/** Each text is taken apart once, for both its vector and its terms. */
async function prepare({ texts, model, embed, analyze }: TextRequest, checkWanted: () => void): Promise<PreparedTexts> {
  checkWanted();
  const embedder = model === undefined ? undefined : await embedderOf(model);
  const rows = embedder === undefined ? 0 : (embed?.length ?? texts.length);
  const dimensions = embedder?.dimensions ?? 0;
  const vectors = new Float32Array(rows * dimensions);
  let [row, tokens] = [0, 0];
  for (let place = 0; place < texts.length; place++) {
    const text = texts[place] as string;
    const isEmbedded = row < rows && (embed === undefined || embed[row] === place);
    if (!isEmbedded && !analyze) continue;
    const count = table.scan(text);
    checkWanted();
    if (isEmbedded && embedder !== undefined) {
      const embedded = embedder.pieces.embed(text, count);
      vectors.set(checkedUnit(embedded.vector), row++ * dimensions);
      tokens += embedded.tokens;
    }
    if (analyze) {
      checkWanted();
      packer.addScanned(place, count);
    }
  }
  const terms = analyze ? packer.take() : undefined;
  return { vectors: embedder === undefined ? undefined : vectors, tokens, terms };
}

function embedderOf(folder: string): Promise<Embedder> {
  const loading = embedders.get(folder) ?? load(folder);
  embedders.set(folder, loading);
  loading.catch(() => embedders.delete(folder));
  return loading;
}

async function load(folder: string): Promise<Embedder> {
  const model = await StaticModel.load(folder, readStaticModelConfig(folder));
  return { dimensions: model.dimensions, pieces: new PieceEmbedder(model, table) };
}

/** Scaled as `checkVectors` scales what a provider returns: a text has the same vector, to the bit, wherever it is embedded. */
function checkedUnit(vector: Float32Array): Float32Array {
  const unit = unitVector(vector);
  if (typeof unit === 'string') throw new SemanticIndexError('INTERNAL', `The vector of a text is ${unit}`);
  return unit;
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
