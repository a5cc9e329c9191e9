const maxLength = 300;

/** Members that contain the message, in order of preference. */
const members = ['error', 'message', 'detail', 'errors', 'msg', 'error_description', 'title', 'reason'];

/**
 * The message in the body of an error response: `{ error: { message } }` (OpenAI), `{ message }` (vLLM),
 * `{ detail }` (FastAPI), a string, otherwise the body itself. At most 300 characters; undefined for an empty body.
 */
export function serviceMessage(body: unknown): string | undefined {
  const text = messageIn(typeof body === 'string' ? parsed(body) : body, 0) ?? whole(body);
  const line = text?.replaceAll(/\s+/g, ' ').trim();
  if (line === undefined || line === '') return undefined;
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function messageIn(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || depth > 4) return undefined;
  if (Array.isArray(value)) {
    const each = value.flatMap((entry) => messageIn(entry, depth + 1) ?? []);
    return each.length === 0 ? undefined : each.join('; ');
  }
  for (const member of members) {
    const found = messageIn((value as Record<string, unknown>)[member], depth + 1);
    if (found !== undefined && found !== '') return found;
  }
  return undefined;
}

function whole(body: unknown): string | undefined {
  if (body === undefined || body === null) return undefined;
  return typeof body === 'string' ? body : JSON.stringify(body);
}
