// A chatbot that answers from your documents and says where it has it from: retrieval, a chat model, an answer that streams,
// and citations. With a key (or another service with OpenAI's API) it chats; without, it shows the context that a model
// would be given, and nothing leaves the machine.
//
//   npx tsx examples/chatbot.ts docs "how do I make a backup?"
//   OPENAI_API_KEY=... npx tsx examples/chatbot.ts docs "how do I make a backup?"
//   OPENAI_BASE_URL=http://localhost:11434/v1 CHAT_MODEL=llama3.2 npx tsx examples/chatbot.ts docs "..."
import OpenAI from 'openai';
import { Retriever, readFolder, SemanticIndex, sync } from 'semantic-index';

const [folder = 'docs', question = 'How do I make a backup?'] = process.argv.slice(2);

await using index = await SemanticIndex.open(':memory:');
await sync(index, readFolder(folder));
const retriever = new Retriever(index, { k: 4, maxTokens: 800 });
const { text, passages, tokens } = await retriever.retrieve(question);

const instructions =
  'Answer from the passages alone, in a few sentences. Put the number of the passage behind each statement, as in [1]. ' +
  'If the passages do not answer the question, state that.';
const prompt = `Passages:\n\n${text}\n\nQuestion: ${question}`;

const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseURL, CHAT_MODEL: model = 'gpt-4o-mini' } = process.env;
if (apiKey === undefined && baseURL === undefined) {
  console.log(`A model would be sent ${tokens} tokens of context:\n\n${prompt}\n`);
} else {
  const client = new OpenAI({ apiKey: apiKey ?? 'none', baseURL });
  const stream = await client.chat.completions.create({
    model,
    stream: true,
    messages: [
      { role: 'system', content: instructions },
      { role: 'user', content: prompt },
    ],
  });
  let answer = '';
  for await (const { choices } of stream) {
    const piece = choices[0]?.delta.content ?? '';
    answer += piece;
    process.stdout.write(piece);
  }
  console.log('\n');
  const cited = new Set([...answer.matchAll(/\[(\d+)\]/g)].map(([, number]) => Number(number)));
  const unknown = [...cited].filter((number) => passages.every((passage) => passage.number !== number));
  if (unknown.length > 0) console.log(`The model cites what it was not given: ${unknown.join(', ')}`);
}
console.log('Passages:');
for (const { number, source, startLine, endLine, headings } of passages) {
  console.log(`[${number}] ${source}:${startLine}-${endLine}  ${headings.join(' › ')}`);
}
