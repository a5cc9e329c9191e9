import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { SemanticIndexError } from '../../index.js';
import { httpErrorOf } from '../http/http-errors.js';

/** Answers what is no HTTP, or never arrives in whole. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const status = late ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const known = late
    ? new SemanticIndexError('TIMEOUT', 'The request did not arrive in time')
    : new SemanticIndexError(status === 431 ? 'TOO_LARGE' : 'INVALID_ARGUMENT', 'The request is not valid HTTP', {
        hint: 'Check the client.',
      });
  const body = JSON.stringify(httpErrorOf(known).body);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
