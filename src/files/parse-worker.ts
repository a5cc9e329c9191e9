import { parentPort } from 'node:worker_threads';
import { SemanticIndexError } from '../errors.js';
import type { ParseReply, ParseRequest } from './parse-messages.js';
import { readContent } from './read-content.js';

// The body of a thread that reads files, one after the other. It is ended from outside when a file takes too long.

const port = parentPort as NonNullable<typeof parentPort>;

port.on('message', async ({ bytes, format, name, limits }: ParseRequest) => {
  try {
    port.postMessage({ content: await readContent(bytes, format, name, limits) } satisfies ParseReply);
  } catch (error) {
    port.postMessage({ error: partsOf(error) } satisfies ParseReply);
  }
});

function partsOf(error: unknown): Extract<ParseReply, { error: unknown }>['error'] {
  if (SemanticIndexError.is(error)) {
    const { code, message, hint, details } = error;
    return { code, message, hint, details };
  }
  // The libraries throw whatever a damaged file leads to.
  const reason = error instanceof RangeError ? 'its parts are nested too deeply, or too large' : 'it is damaged';
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: 'INVALID_FILE',
    message: `${reason}: ${message.split('\n')[0]?.slice(0, 300)}`,
    hint: 'Check that it can be opened, and save it again.',
    details: {},
  };
}
