/** An index of a shop, and questions to it. */
const judged = `
  import { SemanticIndex } from 'semantic-index';
  import { deterministicProvider } from 'semantic-index/testing';
  await using index = await SemanticIndex.open(':memory:');
  await index.addDocuments([
    { id: 'returns', text: 'Send the parcel back within 30 days and we refund the price.' },
    { id: 'warranty', text: 'Lamps are repaired free of charge for two years.' },
  ]);
  const provider = deterministicProvider({ dimensions: 32 });
  const rerank = (_, hits) => hits.map(({ text }) => text.length);
`;
const fiveQuestions = `const questions = ['money', 'back', 'refund', 'price', 'days'].map((query) => ({ query, relevant: ['returns'] }));`;

/** An index whose documents have metadata to rank by. */
const described = `
  import { SemanticIndex } from 'semantic-index';
  await using index = await SemanticIndex.open(':memory:');
  await index.addDocuments([
    { id: 1, text: 'another text about a parcel', metadata: { lang: 'en', source: 'manual', price: 5, stars: 9, date: '2026-10-02' } },
    { id: 2, text: 'one text', metadata: { lang: 'en', source: 'forum', price: 15, date: '2026-11-02' } },
  ]);
`;

/** An index with some documents, and more names of the package. */
function indexed(...names: string[]): string {
  return `
    import { ${[...names, 'SemanticIndex'].join(', ')} } from 'semantic-index';
    await using index = await SemanticIndex.open('my-index');
    await index.addDocuments(['one text', 'another text about a parcel'].map((text) => ({ text, metadata: { lang: 'en' } })));
  `;
}

/**
 * What the surroundings of a block of docs/ would have made: names that it uses, files that it opens. By file and position;
 * a block that stands alone needs none.
 */
export const preambles: Readonly<Record<string, string>> = {
  'embeddings.md 0': `process.env.OPENAI_API_KEY = 'none';`,
  'embeddings.md 1': `
    import { SemanticIndex } from 'semantic-index';
    await using index = await SemanticIndex.open('my-index');
    const documents = ['one text', 'another text'];
  `,
  'embeddings.md 2': `
    import { openaiProvider, SemanticIndex } from 'semantic-index';
    process.env.OPENAI_API_KEY = 'none';
    await using index = await SemanticIndex.open('my-index');
    await index.addDocuments(['one text', 'another text']);
    const { signal } = new AbortController();
    const onProgress = () => {};
    // The service of the block is beyond the reach of a test: this answers in its place.
    globalThis.fetch = async (_, { body }) => {
      const { input } = JSON.parse(body);
      const data = input.map((_, index) => {
        const numbers = Float32Array.from({ length: 1024 }, (_, n) => Math.sin(n * (index + 1)) );
        return { object: 'embedding', index, embedding: Buffer.from(numbers.buffer).toString('base64') };
      });
      return Response.json({ object: 'list', data, model: 'text-embedding-3-large', usage: { prompt_tokens: 1, total_tokens: 1 } });
    };
  `,
  'embeddings.md 3': `
    import { bundledProvider, SemanticIndex } from 'semantic-index';
    const earlier = { ...bundledProvider() };
    earlier.id = earlier.id.replace(/revision=\\w+/, 'revision=000000000000');
    const made = await SemanticIndex.open('my-index', { provider: earlier });
    await made.addDocuments(['one text']);
    await made.close();
  `,
  'embeddings.md 4': `
    import { mkdirSync, writeFileSync } from 'node:fs';
    import { SemanticIndex } from 'semantic-index';
    // A model of two words in the layout of model2vec.
    const folder = 'models/potion-base-8M';
    mkdirSync(folder, { recursive: true });
    writeFileSync(folder + '/config.json', JSON.stringify({ model_type: 'model2vec', normalize: true }));
    writeFileSync(folder + '/tokenizer.json', JSON.stringify({
      version: '1.0', added_tokens: [], post_processor: null, decoder: null,
      normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      model: {
        type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100,
        vocab: { '[PAD]': 0, '[UNK]': 1, one: 2, text: 3 },
      },
    }));
    const header = Buffer.from(JSON.stringify({ embeddings: { dtype: 'F32', shape: [4, 3], data_offsets: [0, 48] } }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const table = Buffer.from(Float32Array.from({ length: 12 }, (_, n) => Math.sin(n + 1)).buffer);
    writeFileSync(folder + '/model.safetensors', Buffer.concat([length, header, table]));
  `,
  'embeddings.md 5': `
    import { deterministicProvider } from 'semantic-index/testing';
    const model = deterministicProvider({ dimensions: 512 });
    const callMyModel = async (texts, role, signal) => (await model.embed(texts, { role, signal })).vectors;
    const test = (_, body) => { process.once('beforeExit', () => void body()); };
  `,
  'evaluation.md 0': judged,
  'evaluation.md 1': judged + fiveQuestions,
  'evaluation.md 2': judged + fiveQuestions,
  'matrices.md 0': `
    import { VectorMatrix as Setup } from 'semantic-index';
    await using vectors = await Setup.create('vectors.npy', { rows: 2000, columns: 4, dtype: 'f4' });
    await vectors.flush();
  `,
  'matrices.md 1': `
    import { AnnoyIndex, VectorMatrix } from 'semantic-index';
    for (const [name, rows] of [['vectors.npy', 50], ['queries.npy', 5]]) {
      await using matrix = await VectorMatrix.create(name, { rows, columns: 384, dtype: 'f4' });
      await matrix.setRows(0, Float32Array.from({ length: rows * 384 }, (_, n) => Math.sin(n)));
      await matrix.flush();
    }
  `,
  'tuning.md 0': `import { SemanticIndex } from 'semantic-index';`,
  'tuning.md 1': `
    import { writeFile } from 'node:fs/promises';
    import { SemanticIndex } from 'semantic-index';
    await using index = await SemanticIndex.open('my-index');
    await index.addDocuments(['one text', 'another text']);
  `,
  'annoy-api.md 0': `
    import { AnnoyIndex } from 'semantic-index';
    const index = new AnnoyIndex(8, 'angular');
    const random = (seed) => Array.from({ length: 8 }, (_, n) => Math.sin(seed * 8 + n * n));
    for (let item = 0; item < 500; item++) index.addItem(item, random(item));
    const vector = random(1.5);
  `,
  'deduplication.md 0': indexed(),
  'deduplication.md 1': `${indexed()}\nconst ask = async (first, second) => first.length === second.length;`,
  'deduplication.md 2': `${indexed()}\nconst stream = ['one text', 'quite another'];`,
  'files.md 0': `
    import { mkdirSync, writeFileSync } from 'node:fs';
    mkdirSync('docs');
    writeFileSync('docs/guide.md', '# Certificates\\n\\nRenew a certificate before it expires.');
    process.once('beforeExit', () => void index.close());
  `,
  'rag.md 0': `
    import { mkdirSync, writeFileSync } from 'node:fs';
    mkdirSync('docs');
    writeFileSync('docs/guide.md', '# Certificates\\n\\nRenew a certificate before it expires.');
    console.log = (text) => { if (!text.includes('Renew')) throw new Error(text); };
    process.once('beforeExit', () => void index.close());
  `,
  'ranking.md 0': described,
  'ranking.md 1': described,
  'ranking.md 2': described,
  'ranking.md 3': described,
  'ranking.md 4': described,
  'text-fields.md 0': `import { SemanticIndex } from 'semantic-index';`,
  'text-fields.md 1': `
    import { chunkDocuments, SemanticIndex } from 'semantic-index';
    await using index = await SemanticIndex.open(':memory:', { textFields: { title: 3, body: 1 } });
    const guide = 'How to send a parcel back.';
  `,
  'search.md 0': indexed(),
  'search.md 1': indexed(),
  'search.md 2': indexed(),
  'search.md 3': indexed(),
  'search.md 4': indexed(),
  'search.md 5': indexed(),
  'search.md 6': `${indexed()}const question = 'Where is my parcel?';`,
  'search.md 7': indexed(),
  'search.md 8': indexed(),
  'search.md 9': indexed(),
};
