import { serviceMessage } from './service-message.js';

/** Most bytes of a refusal that are read for its message. */
const maxBody = 64 * 1024;

/**
 * `fetch` for the package `openai`, which only reads refusals of the shape `{ error: { message } }`: the body of any other
 * refusal is put into that shape, so that what the server said reaches the error. Answers that are no refusals pass unchanged.
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

/** The service's own error object where there is one, with a message in any case. */
function errorOf(body: string): object {
  const message = serviceMessage(body) ?? 'no body';
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    if (typeof error === 'object' && error !== null) return { ...error, message };
  } catch {
    // Not JSON: the text itself is the message.
  }
  return { message };
}
