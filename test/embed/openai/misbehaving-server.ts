import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { countTokens } from 'gpt-tokenizer/encoding/cl100k_base';

/** What a request can meet with instead of a right answer. */
export type Fault =
  | 'busy' // 429 with retry-after-ms
  | 'busy seconds' // 429 with retry-after in seconds
  | 'busy silent' // 429 without a word on when
  | 'broken' // 500
  | 'cut' // the connection ends before the answer
  | 'cut late' // the connection ends in the middle of the answer
  | 'slow' // no answer before the client's patience ends
  | 'garbage' // 200 with something that is not JSON
  | 'too few' // one vector less than inputs
  | 'dimension' // one vector is too short
  | 'nan' // one number is NaN
  | 'numbers' // right, but numbers in place of base64
  | 'shuffled'; // right, but in another order

export interface ServerOptions {
  dimensions?: number;
  /** Which fault request number n (from 0) with this first input meets, if any. */
  fault?: (request: number, first: string) => Fault | undefined;
  key?: string;
  /** Milliseconds that each answer takes. */
  delay?: number;
}

/** A double of the embedding service on 127.0.0.1: it keeps the limits, bills, remembers, and misbehaves on demand. */
export interface MisbehavingServer {
  readonly baseURL: string;
  /** Inputs that were answered rightly, with how often. */
  readonly billed: Map<string, number>;
  readonly requests: { inputs: number; tokens: number; at: number; fault: Fault | undefined; dimensions: unknown }[];
  /** What requests did wrong; empty in every good test. */
  readonly complaints: string[];
  /** Most requests at the same time. */
  maxAtOnce: number;
  close(): Promise<void>;
}

export async function misbehavingServer(options: ServerOptions = {}): Promise<MisbehavingServer> {
  const { dimensions = 8, fault = () => undefined, key = 'sk-test-0123456789', delay = 0 } = options;
  const requests: MisbehavingServer['requests'] = [];
  const billed = new Map<string, number>();
  const complaints: string[] = [];
  let running = 0;
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const state: MisbehavingServer = {
    baseURL: '',
    billed,
    requests,
    complaints,
    maxAtOnce: 0,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    state.maxAtOnce = Math.max(state.maxAtOnce, ++running);
    response.on('close', () => running--);
    const number = requests.length;
    const chunks: Buffer[] = [];
    const entry = {
      inputs: 0,
      tokens: 0,
      at: performance.now(),
      fault: undefined as Fault | undefined,
      dimensions: undefined as unknown,
    };
    requests.push(entry);
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const input = body.input as string[];
    const met = fault(number, input[0]!);
    entry.fault = met;
    const tokens = input.map((text) => countTokens(text, { disallowedSpecial: new Set() }));
    entry.inputs = input.length;
    entry.tokens = tokens.reduce((sum, count) => sum + count, 0);
    entry.dimensions = body.dimensions;
    const sendError = (status: number, message: string, headers: Record<string, string> = {}, code?: string): void => {
      response.writeHead(status, {
        'content-type': 'application/json',
        'x-request-id': `request-${number}`,
        ...headers,
      });
      response.end(JSON.stringify({ error: { message, type: 'error', code } }));
    };
    if (request.headers.authorization !== `Bearer ${key}`) {
      return sendError(401, `Incorrect API key provided: ${request.headers.authorization}`, {}, 'invalid_api_key');
    }
    if (request.url !== '/v1/embeddings') complaints.push(`path ${request.url}`);
    if (input.length === 0 || input.length > 2048) complaints.push(`${input.length} inputs`);
    if (entry.tokens > 300_000) complaints.push(`${entry.tokens} tokens`);
    if (tokens.some((count) => count > 8192)) complaints.push('an input over 8192 tokens');
    if (input.some((text) => text === '')) complaints.push('an empty input');
    if (body.encoding_format !== 'base64') complaints.push(`encoding ${body.encoding_format}`);
    if (complaints.length > 0) return sendError(400, complaints.join());

    if (met === 'busy') return sendError(429, 'too many', { 'retry-after-ms': '40' });
    if (met === 'busy seconds') return sendError(429, 'too many', { 'retry-after': '1' });
    if (met === 'busy silent') return sendError(429, 'too many');
    if (met === 'broken') return sendError(500, 'internal');
    if (met === 'cut') return void response.destroy();
    if (met === 'slow') await sleep(60_000, undefined, { ref: false, signal: closed(response) });
    if (delay > 0) await sleep(delay);
    const vectors = input.map((text) => vectorFor(text, body.dimensions ?? dimensions));
    if (met === 'nan') vectors.at(-1)![0] = Number.NaN;
    if (met === 'dimension') vectors[0] = vectors[0]!.slice(1);
    let data = vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding:
        met === 'numbers'
          ? [...vector]
          : Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64'),
    }));
    if (met === 'too few') data = data.slice(1);
    if (met === 'shuffled') data.reverse();
    const text =
      met === 'garbage'
        ? '<html>'
        : JSON.stringify({
            object: 'list',
            data,
            model: body.model,
            usage: { prompt_tokens: entry.tokens, total_tokens: entry.tokens },
          });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    if (met === 'cut late') {
      response.write(text.slice(0, text.length >> 1));
      await sleep(5);
      return void response.destroy();
    }
    if (met === undefined || met === 'numbers' || met === 'shuffled') {
      for (const own of input) billed.set(own, (billed.get(own) ?? 0) + 1);
    }
    response.end(text);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, { baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
}

/** The right vector of a text: any function of it will do. */
export function vectorFor(text: string, dimensions: number): Float32Array {
  let state = 2166136261;
  for (const character of text) state = Math.imul(state ^ character.codePointAt(0)!, 16777619);
  return Float32Array.from({ length: dimensions }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

function closed(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.on('close', () => controller.abort());
  return controller.signal;
}
