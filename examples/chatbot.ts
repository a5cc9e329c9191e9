// A conversation about your documents: each question is searched for, also a follow-up such as "and how do I undo that?", and the
// answer cites pages and lines. Any model with OpenAI's API answers; without a key, a double on this machine replies with the first
// passage, and nothing leaves the machine.
//
//   npx tsx examples/chatbot.ts docs "How do I make a backup?" "And how do I restore it?"
//   OPENAI_API_KEY=... npx tsx examples/chatbot.ts docs
//   OPENAI_BASE_URL=http://localhost:11434/v1 CHAT_MODEL=llama3.2 npx tsx examples/chatbot.ts docs
import { createInterface } from 'node:readline/promises';
import OpenAI from 'openai';
import { type Passage, Retriever, SemanticIndex, syncFolder } from 'semantic-index';
import { Conversation } from './chatbot/conversation.js';
import { startLocalService } from './openai/local-service.js';

const [folder = 'docs', ...questions] = process.argv.slice(2);
const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL, CHAT_MODEL: model = 'gpt-4o-mini' } = process.env;
const double = apiKey === undefined && OPENAI_BASE_URL === undefined ? await startLocalService() : undefined;

await using index = await SemanticIndex.open(':memory:');
await syncFolder(index, folder);
const conversation = new Conversation({
  client: new OpenAI({ apiKey: apiKey ?? 'none', baseURL: double?.baseURL ?? OPENAI_BASE_URL }),
  model,
  retriever: new Retriever(index, { k: 4 }),
  maxTokens: 2000,
  onText: (piece) => process.stdout.write(piece),
});

/** Questions of the command line, or line by line. */
async function* asked(): AsyncGenerator<string> {
  if (questions.length > 0) return yield* questions;
  const lines = createInterface({ input: process.stdin });
  process.stdout.write('> ');
  for await (const line of lines) {
    if (line.trim() !== '') yield line;
    process.stdout.write('> ');
  }
}

function place({ source, headings, page, endPage, pageKind = 'page', startLine, endLine }: Passage): string {
  const [unit, first, last] = page === undefined ? ['line', startLine, endLine] : [pageKind, page, endPage];
  const lines = first === last ? `${unit} ${first}` : `${unit}s ${first}-${last}`;
  return `${source}, ${lines}  ${headings.join(' › ')}`;
}

for await (const question of asked()) {
  if (questions.length > 0) console.log(`> ${question}`);
  const { standAlone, cited, unknown, tokens } = await conversation.ask(question);
  console.log('\n');
  if (standAlone !== question) console.log(`Searched for: ${standAlone}`);
  for (const passage of cited) console.log(`[${passage.number}] ${place(passage)}`);
  if (unknown.length > 0) console.log(`The model cites what it was not given: ${unknown.join(', ')}`);
  console.log(`${tokens} tokens\n`);
}
double?.close();
