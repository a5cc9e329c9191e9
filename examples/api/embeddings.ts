// Examples of docs/api/embeddings.md. scripts/api-pages.mjs copies each part into the page; a test compares the output.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  bundledProvider,
  openaiProvider,
  SemanticIndexError,
  staticProvider,
  transformersProvider,
  transformersReranker,
} from 'semantic-index';
import { deterministicProvider, testProvider } from 'semantic-index/testing';

const model = mkdtempSync(join(tmpdir(), 'semantic-index-en-'));
process.once('exit', () => rmSync(model, { recursive: true }));
execFileSync(process.execPath, [fileURLToPath(new URL('../../models/write-onnx.mjs', import.meta.url)), model]);

//# bundledProvider
const provider = bundledProvider();
const { vectors } = await provider.embed(['one text', 'another text'], { role: 'document' });
console.log(vectors.length, provider.dimensions); // => 2 384
//# staticProvider
try {
  staticProvider('models/potion-base-8M');
} catch (error) {
  console.log(SemanticIndexError.is(error) && error.code); // => MODEL_NOT_FOUND
}
//# transformersProvider
const local = transformersProvider({ model, offline: true, dtype: 'q8' });
const query = await local.embed(['can I get my money back?'], { role: 'query' });
console.log(query.vectors[0]?.length); // => 384
await local.close?.();
//# transformersReranker, TransformersReranker.close
const rerank = transformersReranker({ model: 'Xenova/ms-marco-MiniLM-L-6-v2', offline: true });
// const { hits, reranked } = await index.search(question, { rerank, rerankBudget: 150 });
await rerank.close();
console.log(typeof rerank); // => function
//# openaiProvider
const service = openaiProvider({ model: 'text-embedding-3-large', dimensions: 1024, apiKey: 'sk-example' });
console.log(service.id); // => openai?dimensions=1024&model=text-embedding-3-large
//# testProvider
const report = await testProvider(provider, { throws: false });
console.log(report.valid); // => true
//# deterministicProvider
const fake = deterministicProvider({ dimensions: 16 });
await fake.embed(['a text for a test'], { role: 'document' });
console.log(fake.dimensions, fake.answered.texts); // => 16 1
