// A client of the service, with nothing but fetch. Without an address it starts a service of its own for a moment.
//
//   npx tsx examples/rest-client.ts
//   semantic-index serve my-index & npx tsx examples/rest-client.ts http://127.0.0.1:8080 "a question"
import { SemanticIndex } from 'semantic-index';
import { createServer } from 'semantic-index/server';

interface Hit {
  readonly id: string | number;
  readonly score: number;
  readonly text: string;
}

/** Calls one route; a failure has the code and the hint that the service gave. */
async function call<T>(url: string, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(url + path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  });
  const answer = (await response.json()) as T & { error?: { code: string; message: string; hint: string } };
  if (answer.error !== undefined)
    throw new Error(`${answer.error.code}: ${answer.error.message}. ${answer.error.hint}`);
  return answer;
}

const [address, question = 'can I get my money back?'] = process.argv.slice(2);
const server =
  address === undefined ? await createServer(() => SemanticIndex.open(':memory:'), { port: 0 }) : undefined;
const url = address ?? (await server?.listen()) ?? '';
await server?.loaded;

if (server !== undefined) {
  const documents = [
    { id: 'returns', text: 'Send the parcel back within 30 days and we refund the price.' },
    { id: 'delivery', text: 'Orders leave our warehouse the next morning.' },
  ];
  const { added } = await call<{ added: number }>(url, 'POST', '/documents', { documents });
  console.log(`added ${added}`);
}
const { hits } = await call<{ hits: Hit[] }>(url, 'POST', '/search', { query: question, k: 3 });
for (const { id, score, text } of hits) console.log(`${score.toFixed(3)}  ${id}  ${text}`);
try {
  await call(url, 'POST', '/search', { vector: [1, 2, 3] });
} catch (error) {
  console.log(`refused: ${(error as Error).message}`);
}
await server?.close();
