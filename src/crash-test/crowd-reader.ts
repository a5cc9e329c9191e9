import type { Random } from '../random.js';
import type { SemanticIndex } from '../semantic-index.js';
import type { Hit } from '../types.js';
import type { MemberCounts, MemberOrders } from './crowd-messages.js';
import { membersOfCommit } from './crowd-writer.js';
import { Tally } from './tally.js';

/** One of several processes that search while others write, and compare what they see with what was acknowledged. */
export class CrowdReader {
  readonly #orders: MemberOrders;
  readonly #random: Random;
  readonly #counts: MemberCounts;
  readonly #fault: (message: string) => void;
  readonly #tallies: Tally[];
  /** Of each writer, the last commit that this reader has seen. */
  readonly #seen: number[];

  constructor(orders: MemberOrders, random: Random, counts: MemberCounts, fault: (message: string) => void) {
    this.#orders = orders;
    this.#random = random;
    this.#counts = counts;
    this.#fault = fault;
    this.#tallies = Array.from({ length: orders.writers }, (_, number) => new Tally(orders.tallies, number));
    this.#seen = this.#tallies.map(() => 0);
  }

  async act(index: SemanticIndex): Promise<void> {
    this.#counts.searches++;
    if (this.#random.chance(0.25)) await this.#searchAll(index);
    else await this.#searchWriter(index, this.#random.integer(this.#orders.writers));
  }

  /** All that a writer keeps: of one commit, and not of an older one than was acknowledged before the question. */
  async #searchWriter(index: SemanticIndex, writer: number): Promise<void> {
    const acknowledged = (this.#tallies[writer] as Tally).read();
    const mode = this.#random.pick(['vector', 'vector', 'hybrid'] as const);
    const where = { writer, member: { $gte: 0 } };
    const query = `word${this.#random.integer(400)} writer${writer}`;
    const hits = await index.search(query, { k: 50, where, mode, exact: this.#random.chance(0.5) });
    if (hits.length === 0 && acknowledged === 0) return;
    this.#compare(hits, writer, acknowledged, mode);
  }

  #compare(hits: readonly Hit[], writer: number, acknowledged: number, mode: string): void {
    const sequences = hits.map(({ metadata }) => metadata.sequence as number);
    const members = new Set(hits.map(({ metadata }) => metadata.member));
    const wanted = Math.max(acknowledged, this.#seen[writer] as number);
    const [lowest, highest] = [Math.min(...sequences), Math.max(...sequences)];
    if (hits.length !== membersOfCommit || members.size !== membersOfCommit || lowest !== highest) {
      this.#counts.mixed++;
      const found = hits.map(({ id, metadata }) => `${id} of ${metadata.sequence}`).join(', ');
      this.#fault(`${mode} search for the documents of writer ${writer} finds ${found || 'nothing'}`);
    } else if (lowest < wanted) {
      this.#counts.stale++;
      this.#fault(`${mode} search sees commit ${lowest} of writer ${writer}, after ${wanted} was acknowledged or seen`);
    }
    if (hits.length > 0) this.#seen[writer] = Math.max(this.#seen[writer] as number, lowest);
  }

  async #searchAll(index: SemanticIndex): Promise<void> {
    const hits = await index.search(`word${this.#random.integer(400)}`, { k: 10, mode: 'vector' });
    const ids = new Set(hits.map(({ id }) => id));
    if (ids.size !== hits.length) this.#fault('a document is found twice');
    // Ten are there as soon as both writers have written.
    const there = this.#seen.filter((sequence) => sequence > 0).length * membersOfCommit;
    if (hits.length < Math.min(10, there)) this.#fault(`${hits.length} hits of at least ${there} documents`);
  }

  close(): void {
    for (const tally of this.#tallies) tally.close();
  }
}
