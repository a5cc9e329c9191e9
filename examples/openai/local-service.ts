import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bundledProvider } from 'semantic-index';

/** A service with the API of OpenAI on this machine, so that the examples run offline. */
export interface LocalService {
  readonly baseURL: string;
  close(): void;
}

/**
 * Answers /embeddings with the vectors of the bundled model, and /chat/completions, as a stream, with the first passage of
 * the context that it is sent: what a language model would have said it cannot know. Asked to rewrite a question, it puts the
 * question before it behind it.
 */
export async function startLocalService(): Promise<LocalService> {
  const provider = bundledProvider();
  const server = createServer(async (request, response) => {
    let sent = '';
    for await (const piece of request) sent += piece;
    const body = JSON.parse(sent);
    if (request.url?.endsWith('/embeddings')) {
      const { vectors } = await provider.embed(body.input, { role: 'document' });
      const data = vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding: body.encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector],
      }));
      const usage = { prompt_tokens: data.length, total_tokens: data.length };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ object: 'list', model: body.model, data, usage }));
      return;
    }
    const context: string = body.messages.at(-1).content;
    const first = /\[1\][^\n]*\n([^\n]+)/.exec(context)?.[1] ?? 'nothing';
    const rewrites = body.messages[0].content.startsWith('Rewrite');
    const reply = rewrites ? `${context} ${body.messages.at(-3)?.content ?? ''}` : `The passages say: ${first} [1]`;
    response.setHeader('content-type', 'text/event-stream');
    for (const word of reply.split(/(?<= )/)) {
      const chunk = { object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: word } }] };
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    }
    response.end('data: [DONE]\n\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseURL: `http://127.0.0.1:${port}/v1`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
