import type { Random } from '../random.js';
import type { SemanticIndex } from '../semantic-index.js';
import type { Hit } from '../types.js';
import type { MemberCounts, MemberOrders } from './crowd-messages.js';
import { membersOfCommit } from './crowd-writer.js';
import { Tally } from './tally.js';

/** Searches while other processes write, and compares the hits with the acknowledged commits. */
export class CrowdReader {
  readonly #orders: MemberOrders;
  readonly #random: Random;
  readonly #counts: MemberCounts;
  readonly #fault: (message: string) => void;
  readonly #tallies: Tally[];
  /** The last commit of each writer that this reader has seen. */
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

  /** Finds the documents of a writer: all of one commit, which is not older than the last one acknowledged before the search. */
  async #searchWriter(index: SemanticIndex, writer: number): Promise<void> {
    const acknowledged = (this.#tallies[writer] as Tally).read();
    const mode = this.#random.pick(['vector', 'vector', 'hybrid'] as const);
    const where = { writer, member: { $gte: 0 } };
    const query = `word${this.#random.integer(400)} writer${writer}`;
    const { hits } = await index.search(query, { k: 50, where, mode, exact: this.#random.chance(0.5) });
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
      this.#fault(
        `${mode} search: expected ${membersOfCommit} documents of one commit of writer ${writer}, got ${found || 'none'}`,
      );
    } else if (lowest < wanted) {
      this.#counts.stale++;
      this.#fault(`${mode} search: expected commit ${wanted} of writer ${writer} or a later one, got ${lowest}`);
    }
    if (hits.length > 0) this.#seen[writer] = Math.max(this.#seen[writer] as number, lowest);
  }

  async #searchAll(index: SemanticIndex): Promise<void> {
    const { hits } = await index.search(`word${this.#random.integer(400)}`, { k: 10, mode: 'vector' });
    const ids = new Set(hits.map(({ id }) => id));
    if (ids.size !== hits.length) this.#fault('a document occurs twice in the hits');
    // Two writers that have written once have ten documents.
    const minimum = this.#seen.filter((sequence) => sequence > 0).length * membersOfCommit;
    if (hits.length < Math.min(10, minimum)) this.#fault(`expected ${Math.min(10, minimum)} hits, got ${hits.length}`);
  }

  close(): void {
    for (const tally of this.#tallies) tally.close();
  }
}
