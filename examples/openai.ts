// Embeddings of OpenAI, or of any service with its API. Without a key it talks to a service of its own on this machine.
//
//   npx tsx examples/openai.ts
//   OPENAI_API_KEY=... npx tsx examples/openai.ts
import { openaiProvider, SemanticIndex } from 'semantic-index';
import { startLocalService } from './openai/local-service.js';

const local = process.env.OPENAI_API_KEY ? undefined : await startLocalService();
const provider =
  local === undefined
    ? openaiProvider({ model: 'text-embedding-3-small' })
    : openaiProvider({ model: 'local', baseURL: local.baseURL });

await using index = await SemanticIndex.open(':memory:', { provider });
const documents = [
  { id: 'returns', text: 'Send the parcel back within 30 days and we refund the price.' },
  { id: 'delivery', text: 'Orders leave our warehouse the next morning.' },
];
// What it will cost, before it costs anything; and what was paid for is never paid for again.
const { embed, tokens } = await index.plan(documents);
console.log(`${embed} texts of ${tokens} tokens are to be embedded`);
const first = await index.addDocuments(documents);
const second = await index.addDocuments(documents);
console.log(`embedded ${first.embedded}, then ${second.embedded}`);
const {
  hits: [hit],
} = await index.search('can I get my money back?');
console.log(hit?.id);
local?.close();
