import { parentPort } from 'node:worker_threads';
import { failureOf } from './parse-failure.js';
import type { ParseReply, ParseRequest } from './parse-messages.js';
import { readContent } from './read-content.js';

// The body of a thread that reads files, one after the other. It is ended from outside when a file takes too long.

const port = parentPort as NonNullable<typeof parentPort>;

port.on('message', async ({ bytes, format, name, limits }: ParseRequest) => {
  try {
    port.postMessage({ content: await readContent(bytes, format, name, limits) } satisfies ParseReply);
  } catch (error) {
    port.postMessage({ error: failureOf(error) } satisfies ParseReply);
  }
});
