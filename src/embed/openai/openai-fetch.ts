import { serviceMessage } from './service-message.js';

/** Max. bytes of an error response that are read for its message. */
const maxBody = 64 * 1024;

/**
 * `fetch` for the package `openai`, which reads error responses only in the shape `{ error: { message } }`: other
 * bodies are converted to it, so that the message of the server reaches the error. Successful responses pass unchanged.
 */
export async function fetchWithMessage(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  if (response.ok) return response;
  const body = await beginningOf(response);
  const error = errorOf(body);
  const headers = new Headers(response.headers);
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) headers.delete(name);
  headers.set('content-type', 'application/json');
  return new Response(JSON.stringify({ error }), { status: response.status, statusText: response.statusText, headers });
}

async function beginningOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  try {
    while (reader !== undefined && bytes < maxBody) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      bytes += value.length;
    }
  } finally {
    await reader?.cancel().catch(() => {});
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The error object of the service, if any, always with a message. */
function errorOf(body: string): object {
  const message = serviceMessage(body) ?? 'no body';
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    if (typeof error === 'object' && error !== null) return { ...error, message };
  } catch {
    // Not JSON: the text is the message.
  }
  return { message };
}
