import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SemanticIndex } from '../../src/index.js';
import { SemanticIndex as Index } from '../../src/index.js';
import { createServer, type SearchServer, type ServerOptions } from '../../src/server/server.js';

/** A service that listens on a free port of this machine, and how to ask it. */
export interface Started {
  readonly url: string;
  readonly server: SearchServer;
  readonly folder: string;
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  stop(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a test looks into.
  readonly body: any;
}

/** Starts a service for a new index with three documents. */
export async function startServer(
  options: ServerOptions = {},
  open: (folder: string) => Promise<SemanticIndex> = (folder) => Index.open(folder),
): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), 'semantic-index-'));
  const server = await createServer(() => open(join(folder, 'idx')), { port: 0, drainTime: 10, ...options });
  const url = await server.listen();
  const ask: Started['ask'] = async (method, path, body, headers = {}) => {
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(url + path, { method, ...sent, headers: { ...type, ...headers } });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, body: isJson ? JSON.parse(text) : text };
  };
  const stop = async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, server, folder, ask, stop };
}

export const documents = [
  { id: 'returns', text: 'Send the parcel back within 30 days and we refund the price.', metadata: { lang: 'en' } },
  { id: 'delivery', text: 'Orders leave our warehouse the next morning.', metadata: { lang: 'en' } },
  { id: 7, text: 'Bestellungen verlassen das Lager am nächsten Morgen.', metadata: { lang: 'de' } },
];
