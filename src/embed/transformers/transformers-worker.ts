import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { SemanticIndexError } from '../../errors.js';
import type { FromWorker, ToWorker, TransformersSettings } from './transformers-messages.js';
import { type TokenList, TransformersModel } from './transformers-model.js';

/** A pending call. */
interface OpenCall {
  readonly call: number;
  readonly client: number;
  readonly settings: TransformersSettings;
  readonly urgent: boolean;
  readonly texts: readonly string[];
  readonly pairs: readonly string[] | undefined;
  ids?: TokenList[];
  runs?: number[][];
  readonly vectors: Float32Array[];
}

const port = parentPort;
if (port === null) throw new SemanticIndexError('INTERNAL', 'transformers-worker.js must run in a worker thread');

// Discard the output of the library; failures are returned as errors.
globalThis.console = new Console(new Writable({ write: (_chunk, _encoding, done) => done() }));

const calls: OpenCall[] = [];
/** The models of clients. */
const models = new Map<number, Promise<TransformersModel>>();
let working = false;

port.on('message', (message: ToWorker) => {
  if (message.type === 'embed') {
    calls.push({ ...message, vectors: [] });
    if (!working) void work();
  } else if (message.type === 'cancel') {
    drop(message.call);
  } else {
    for (const { call } of calls.filter(({ client }) => client === message.client)) drop(call);
    void close(message.client);
  }
});

/** Processes calls run by run: queries first, so that a search does not wait for documents being indexed. */
async function work(): Promise<void> {
  working = true;
  while (calls.length > 0) {
    const open = calls.find(({ urgent }) => urgent) ?? (calls[0] as OpenCall);
    try {
      await advance(open, await modelOf(open));
    } catch (error) {
      // The next call tries again to load a model that failed to load.
      if (open.ids === undefined) models.delete(open.client);
      drop(open.call);
      send(asMessage(open.call, error));
    }
    // Lets cancellations and queries in.
    await nextTurn();
  }
  working = false;
}

function modelOf({ client, settings }: OpenCall): Promise<TransformersModel> {
  const known = models.get(client) ?? TransformersModel.load(settings);
  models.set(client, known);
  return known;
}

async function advance(open: OpenCall, model: TransformersModel): Promise<void> {
  open.ids ??= open.texts.map((text, place) => model.tokenize(text, open.pairs?.[place]));
  open.runs ??= model.planRuns(open.ids.map(({ ids }) => ids.length));
  const run = open.runs.shift();
  if (run !== undefined) {
    const { ids } = open;
    const vectors = await model.embed(run.map((index) => ids[index] as TokenList));
    run.forEach((index, row) => {
      open.vectors[index] = vectors[row] as Float32Array;
    });
  }
  if (open.runs.length > 0 || !calls.includes(open)) return;
  drop(open.call);
  const dimensions = open.vectors[0]?.length ?? 0;
  const numbers = new Float32Array(open.vectors.length * dimensions);
  open.vectors.forEach((vector, row) => {
    numbers.set(vector, row * dimensions);
  });
  const tokens = open.ids.reduce((total, { ids }) => total + ids.length, 0);
  send({ type: 'vectors', call: open.call, numbers, dimensions, tokens }, [numbers.buffer]);
}

async function close(client: number): Promise<void> {
  const model = await models.get(client)?.catch(() => undefined);
  models.delete(client);
  await model?.dispose().catch(() => undefined);
  send({ type: 'closed', client });
}

function drop(call: number): void {
  const index = calls.findIndex((open) => open.call === call);
  if (index >= 0) calls.splice(index, 1);
}

function send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

function asMessage(call: number, error: unknown): FromWorker {
  const known = SemanticIndexError.is(error) ? error : undefined;
  const plain = error instanceof Error ? error : new Error(String(error));
  return {
    type: 'error',
    call,
    code: known?.code ?? 'PROVIDER_FAILED',
    message: plain.message,
    hint: known?.hint,
    stack: plain.stack,
  };
}
