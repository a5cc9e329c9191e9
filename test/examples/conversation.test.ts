import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Conversation } from '../../examples/chatbot/conversation.js';
import { type LocalService, startLocalService } from '../../examples/openai/local-service.js';
import { Retriever, SemanticIndex, sync } from '../../src/index.js';

let service: LocalService;
let index: SemanticIndex;
beforeAll(async () => {
  service = await startLocalService();
  index = await SemanticIndex.open(':memory:');
  const parts = Array.from(
    { length: 40 },
    (_, at) => `## Part ${at}\n\nThe harbour number ${at} is quiet. ${'Words follow. '.repeat(30)}`,
  );
  await sync(index, [{ id: 'harbours.md', text: parts.join('\n\n') }]);
});
afterAll(async () => {
  service.close();
  await index.close();
});

test('a long conversation stays within its budget, and cites what it was given', async () => {
  const client = new OpenAI({ apiKey: 'none', baseURL: service.baseURL });
  const sent: number[] = [];
  const conversation = new Conversation({
    client,
    model: 'double',
    // Of the sources here, of dist there: the same class.
    retriever: new Retriever(index as never, { k: 6 }) as never,
    maxTokens: 700,
    onText: (piece) => sent.push(piece.length),
  });
  const first = await conversation.ask('Which harbour is quiet?');
  expect(first.standAlone).toBe('Which harbour is quiet?');
  expect(first.cited.map(({ number }) => number)).toEqual([1]);
  expect(first.cited[0]?.startLine).toBeGreaterThan(0);
  for (let turn = 0; turn < 8; turn++) {
    const answer = await conversation.ask(`And what about number ${turn}? ${'Please say it all. '.repeat(turn * 4)}`);
    expect(answer.standAlone).toContain(`number ${turn}?`);
    expect(answer.standAlone.length).toBeGreaterThan(answer.question.length);
    expect([answer.tokens <= 700, answer.unknown]).toEqual([true, []]);
  }
  expect(sent.length).toBeGreaterThan(20);
  await expect(conversation.ask('much too long '.repeat(500))).rejects.toThrow('fits into 700 tokens');
});
