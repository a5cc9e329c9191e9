import type OpenAI from 'openai';
import { estimateTokens, type Passage, type Retriever } from 'semantic-index';

/** A question and its answer. */
export interface Turn {
  readonly question: string;
  readonly answer: string;
}

/** An answer, and what it was made of. */
export interface Answer extends Turn {
  /** The question as it was searched for: it can be understood without the conversation. */
  readonly standAlone: string;
  readonly passages: readonly Passage[];
  /** Passages that the answer cites. */
  readonly cited: readonly Passage[];
  /** Numbers in the answer that no passage has. */
  readonly unknown: readonly number[];
  /** Estimated tokens of the messages that were sent for the answer. */
  readonly tokens: number;
}

/** Settings of a conversation. */
export interface ConversationOptions {
  readonly client: OpenAI;
  readonly model: string;
  /** Finds the passages of an answer. */
  readonly retriever: Retriever;
  /** Max. tokens of the messages of one call: instructions, earlier turns, passages and the question. */
  readonly maxTokens: number;
  /** Receives the answer piece by piece. */
  readonly onText?: (piece: string) => void;
}

const instructions =
  'Answer from the passages alone, in a few sentences. Put the number of the passage behind each statement, as in [1]. ' +
  'If the passages do not answer the question, state that.';
const rewriting =
  'Rewrite the last question so that it can be understood without the conversation: replace words such as "it" by what they ' +
  'stand for. Reply with the question alone.';

/** Share of the budget for passages; the rest is for instructions, earlier turns and the question. */
const passageShare = 0.6;
/** Turns that a follow-up question can refer to. */
const rememberedTurns = 4;

/** A conversation about documents: each question is searched for on its own, and answered with citations. */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #turns: Turn[] = [];

  constructor(options: ConversationOptions) {
    this.#options = options;
  }

  async ask(question: string): Promise<Answer> {
    const { retriever, maxTokens } = this.#options;
    const around = tokensOf([
      { role: 'system', content: instructions },
      { role: 'user', content: `Passages:\n\n\n\nQuestion: ${question}` },
    ]);
    const room = Math.min(Math.floor(maxTokens * passageShare), maxTokens - around);
    if (room < 1) throw new RangeError(`Expected a question that fits into ${maxTokens} tokens`);
    const standAlone = this.#turns.length === 0 ? question : await this.#rewritten(question);
    const { text, passages } = await retriever.retrieve(standAlone, { maxTokens: room });
    const messages = this.#messagesFor(`Passages:\n\n${text}\n\nQuestion: ${question}`, instructions);
    const answer = await this.#reply(messages, this.#options.onText);
    this.#turns.push({ question, answer });
    const numbers = new Set([...answer.matchAll(/\[(\d+)\]/g)].map(([, number]) => Number(number)));
    return {
      ...{ question, answer, standAlone, passages },
      cited: passages.filter(({ number }) => numbers.has(number)),
      unknown: [...numbers].filter((number) => !passages.some((passage) => passage.number === number)),
      tokens: tokensOf(messages),
    };
  }

  async #rewritten(question: string): Promise<string> {
    const reply = await this.#reply(this.#messagesFor(question, rewriting));
    return reply.trim() === '' ? question : reply.trim();
  }

  /** The messages of a call: as many of the last turns as fit beside the instructions and the question. */
  #messagesFor(last: string, system: string): Message[] {
    const first: Message = { role: 'system', content: system };
    const end: Message = { role: 'user', content: last };
    let turns: Message[] = [];
    for (const { question, answer } of this.#turns.slice(-rememberedTurns).reverse()) {
      const longer: Message[] = [{ role: 'user', content: question }, { role: 'assistant', content: answer }, ...turns];
      if (tokensOf([first, ...longer, end]) > this.#options.maxTokens) break;
      turns = longer;
    }
    return [first, ...turns, end];
  }

  async #reply(messages: Message[], onText?: (piece: string) => void): Promise<string> {
    const { client, model } = this.#options;
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    let reply = '';
    for await (const { choices } of stream) {
      const piece = choices[0]?.delta.content ?? '';
      reply += piece;
      onText?.(piece);
    }
    return reply;
  }
}

type Message = { role: 'system' | 'user' | 'assistant'; content: string };

/** Tokens around a message. */
const tokensPerMessage = 4;

function tokensOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { content }) => sum + estimateTokens(content) + tokensPerMessage, 0);
}
