import type { Readable, Writable } from 'node:stream';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { TopLevelId } from '../http/top-level-id.js';

const newline = 10;

/** Numbers of JSON-RPC for errors that the transport itself answers. */
const codes = { parse: -32700, invalidRequest: -32600 } as const;

/**
 * A transport of the Model Context Protocol over stdin and stdout, one message a line. A message longer than `maxBytes`, or one
 * that is not JSON-RPC, is answered with an error and skipped; the transport of the SDK ends at the former and is silent at the
 * latter.
 */
export class StdioTransport implements Transport {
  onclose: () => void = () => {};
  onerror: (error: Error) => void = () => {};
  onmessage: (message: JSONRPCMessage) => void = () => {};
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #maxBytes: number;
  readonly #parse: (value: unknown) => JSONRPCMessage;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Reads the id of a message that is too long to be kept. */
  #skipped: TopLevelId | undefined;

  /** @param parse checks a parsed line; throws for what is not a message. */
  constructor(input: Readable, output: Writable, maxBytes: number, parse: (value: unknown) => JSONRPCMessage) {
    this.#input = input;
    this.#output = output;
    this.#maxBytes = maxBytes;
    this.#parse = parse;
  }

  async start(): Promise<void> {
    this.#input.on('data', this.#receive);
    this.#input.on('error', this.#fail);
  }

  send(message: JSONRPCMessage): Promise<void> {
    return this.#write(message);
  }

  async close(): Promise<void> {
    this.#input.off('data', this.#receive).off('error', this.#fail);
    if (this.#input.listenerCount('data') === 0) this.#input.pause();
    this.#begin();
    this.onclose();
  }

  readonly #fail = (error: Error): void => this.onerror(error);

  readonly #receive = (chunk: Buffer): void => {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      this.#append(chunk.subarray(from, end));
      this.#finish();
      from = end + 1;
    }
    this.#append(chunk.subarray(from));
  };

  #append(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#skipped === undefined && this.#bytes > this.#maxBytes) {
      this.#skipped = new TopLevelId();
      for (const chunk of this.#chunks) this.#skipped.read(chunk);
      this.#chunks = [];
    }
    if (this.#skipped === undefined) this.#chunks.push(part);
    else this.#skipped.read(part);
  }

  #finish(): void {
    const [chunks, bytes, skipped] = [this.#chunks, this.#bytes, this.#skipped];
    this.#begin();
    if (skipped !== undefined) {
      const message = `TOO_LARGE: Expected a message of at most ${this.#maxBytes} bytes, got ${bytes}. Send less at a time, such as fewer documents in one call.`;
      this.#refuse(codes.invalidRequest, message, skipped.id);
      return;
    }
    const line = Buffer.concat(chunks).toString('utf8').trim();
    if (line === '') return;
    let message: JSONRPCMessage;
    try {
      message = this.#parse(JSON.parse(line));
    } catch (error) {
      this.#refuse(codes.parse, 'INVALID_ARGUMENT: Expected a line with one JSON-RPC message.');
      this.onerror(error as Error);
      return;
    }
    this.onmessage(message);
  }

  #begin(): void {
    this.#chunks = [];
    this.#bytes = 0;
    this.#skipped = undefined;
  }

  #refuse(code: number, message: string, id?: string | number): void {
    void this.#write({ jsonrpc: '2.0', ...(id !== undefined && { id }), error: { code, message } });
  }

  #write(message: unknown): Promise<void> {
    return new Promise((resolve) => {
      if (this.#output.write(`${JSON.stringify(message)}\n`)) resolve();
      else this.#output.once('drain', resolve);
    });
  }
}
