import { parentPort } from 'node:worker_threads';
import { failureOf } from '../files/parse-failure.js';
import { nextPart, type ParseReply } from '../files/parse-messages.js';
import { readContent } from '../files/read-content.js';
import type { Metadata } from '../types.js';
import { fingerprint } from './chunk-fingerprint.js';
import type { ChunkRequest, PreparedChunk } from './chunk-messages.js';
import { chunkDocuments } from './chunking/chunk-documents.js';
import { parsedSource } from './parsed-source.js';

// The body of a thread that reads files and splits them, one after the other. It is ended from outside when a file takes too long.

/** Chunks that are sent at once: their text is about 30 KB. */
const chunksPerPart = 32;

const port = parentPort as NonNullable<typeof parentPort>;
let taken: (() => void) | undefined;

port.on('message', async (message: ChunkRequest | typeof nextPart) => {
  if (message === nextPart) {
    taken?.();
    return;
  }
  const { bytes, format, name, limits, id, collection } = message;
  const reply = (sent: ParseReply<undefined, readonly PreparedChunk[]>): void => port.postMessage(sent);
  try {
    const source = parsedSource(id, await readContent(bytes, format, name, limits));
    const documents = chunkDocuments(source, undefined, collection);
    for (let first = 0; first < documents.length; first += chunksPerPart) {
      const part = documents.slice(first, first + chunksPerPart);
      const waiting = new Promise<void>((resolve) => {
        taken = resolve;
      });
      reply({ part: part.map((document) => ({ document, fingerprint: fingerprint(document.metadata as Metadata) })) });
      await waiting;
    }
    reply({ content: undefined });
  } catch (error) {
    reply({ error: failureOf(error) });
  }
});
