import { Document, type Metadata, MetadataMode, NodeRelationship, TextNode } from '@llamaindex/core/schema';
import { FilterOperator, type MetadataFilter, VectorStoreQueryMode } from '@llamaindex/core/vector-store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { llamaindexProvider, ProviderEmbedding, SemanticIndexVectorStore } from '../../src/adapters/llamaindex.js';
import { bundledProvider, SemanticIndex } from '../../src/index.js';
import { testProvider } from '../../src/testing.js';

const embedModel = new ProviderEmbedding(bundledProvider());
let index: SemanticIndex;
let store: SemanticIndexVectorStore;

beforeAll(async () => {
  index = await SemanticIndex.open(':memory:');
  store = new SemanticIndexVectorStore(index, { embedModel });
  const source = new Document({ id_: 'rules', text: '' });
  const texts = ['Send the parcel back within 30 days.', 'We refund the price.', 'Orders leave in the morning.'];
  const nodes = texts.map((text, n) => {
    const node = new TextNode<Metadata>({
      id_: `n${n}`,
      text,
      metadata: { n, tags: n === 1 ? ['money'] : ['post', 'parcel'] },
    });
    if (n < 2) node.relationships[NodeRelationship.SOURCE] = source.asRelatedNodeInfo();
    return node;
  });
  // The model of LlamaIndex's own pipeline fills in the vectors.
  expect(await store.add(await embedModel(nodes))).toEqual(['n0', 'n1', 'n2']);
});
afterAll(() => index.close());

const query = async (text: string, more: Record<string, unknown> = {}) =>
  store.query({
    queryStr: text,
    queryEmbedding: (await embedModel.getQueryEmbedding({ type: 'text', text })) as number[],
    similarityTopK: 3,
    mode: VectorStoreQueryMode.DEFAULT,
    ...more,
  });

test('nodes come back whole, best first', async () => {
  const { ids, nodes, similarities } = await query('when does my order leave?');
  expect(ids[0]).toBe('n2');
  expect(similarities).toEqual([...similarities].sort((a, b) => b - a));
  expect(nodes?.[0]?.getContent(MetadataMode.NONE)).toBe('Orders leave in the morning.');
  expect(nodes?.[0]?.metadata).toMatchObject({ n: 2 });
});

test.each<[MetadataFilter['operator'], string, unknown, string[]]>([
  [FilterOperator.EQ, 'n', 1, ['n1']],
  [FilterOperator.NE, 'n', 1, ['n0', 'n2']],
  [FilterOperator.GT, 'n', 0, ['n1', 'n2']],
  [FilterOperator.LTE, 'n', 0, ['n0']],
  [FilterOperator.IN, 'n', [0, 2], ['n0', 'n2']],
  [FilterOperator.NIN, 'n', [0, 2], ['n1']],
  [FilterOperator.CONTAINS, 'tags', 'money', ['n1']],
  [FilterOperator.ANY, 'tags', ['money', 'post'], ['n0', 'n1', 'n2']],
  [FilterOperator.ALL, 'tags', ['post', 'parcel'], ['n0', 'n2']],
  [FilterOperator.IS_EMPTY, 'missing', undefined, ['n0', 'n1', 'n2']],
])('filter %s', async (operator, key, value, expected) => {
  const { ids } = await query('parcel', { filters: { filters: [{ key, value, operator }] } });
  expect(ids.sort()).toEqual(expected);
});

test('modes and conditions', async () => {
  const filters = {
    condition: 'or',
    filters: [
      { key: 'n', value: 0, operator: '==' },
      { key: 'n', value: 1, operator: '==' },
    ],
  };
  expect((await query('parcel', { filters })).ids.sort()).toEqual(['n0', 'n1']);
  expect((await query('refund', { mode: VectorStoreQueryMode.SPARSE })).ids).toEqual(['n1']);
  expect((await query('refund', { mode: VectorStoreQueryMode.HYBRID })).ids[0]).toBe('n1');
  expect((await query('refund', { mode: VectorStoreQueryMode.MMR, mmrThreshold: 0.2 })).ids).toHaveLength(3);
  await expect(query('x', { mode: VectorStoreQueryMode.SVM })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});

test('deletes what a document was made into', async () => {
  await store.delete('rules');
  expect((await query('parcel')).ids).toEqual(['n2']);
  await index.addDocuments([{ id: 'other', text: 'Not from LlamaIndex.', metadata: { n: 9 } }]);
  const { nodes } = await query('Not from LlamaIndex.', { similarityTopK: 1 });
  expect(nodes?.[0]).toMatchObject({ id_: 'other', metadata: { n: 9 } });
});

test('both ways keep the contract of providers', async () => {
  await testProvider(llamaindexProvider(embedModel, { id: 'there and back', dimensions: 384 }));
});
