import { SemanticIndexError } from '../errors.js';
import type { Random } from '../random.js';
import type { SemanticIndex } from '../semantic-index.js';
import type { DocumentInput } from '../types.js';
import type { MemberCounts, MemberOrders } from './crowd-messages.js';
import { Tally } from './tally.js';

/** Documents of a writer that always exist, and always belong to one commit. */
export const membersOfCommit = 5;

/**
 * Writes to the index while other processes do. Each commit changes all member documents of the writer at once, some in text and
 * some in metadata only, and adds or replaces a few others.
 */
export class CrowdWriter {
  readonly #index: SemanticIndex;
  readonly #orders: MemberOrders;
  readonly #random: Random;
  readonly #counts: MemberCounts;
  readonly #tally: Tally;
  readonly #texts: string[] = [];
  #sequence: number;

  constructor(index: SemanticIndex, orders: MemberOrders, random: Random, counts: MemberCounts) {
    this.#index = index;
    this.#orders = orders;
    this.#random = random;
    this.#counts = counts;
    this.#tally = new Tally(orders.tallies, orders.number);
    this.#sequence = this.#tally.read();
  }

  /** Makes one change. BUSY is counted, and the change is retried later. */
  async act(): Promise<void> {
    const random = this.#random;
    try {
      if (random.chance(0.02)) await this.#maintain();
      else if (random.chance(0.1)) await this.#delete();
      else await this.#commit();
    } catch (error) {
      if (!SemanticIndexError.is(error, 'BUSY')) throw error;
      this.#counts.refusals++;
    }
  }

  async #commit(): Promise<void> {
    const { number } = this.#orders;
    const random = this.#random;
    const sequence = this.#sequence + 1;
    const onlyMetadata = random.chance(0.3);
    const members = Array.from({ length: membersOfCommit }, (_, member): DocumentInput => {
      const keep = this.#texts[member] !== undefined && (onlyMetadata || random.chance(0.3));
      if (!keep) this.#texts[member] = `${this.#words()} commit${sequence} writer${number}`;
      const text = this.#texts[member] as string;
      return { id: `${number}-member-${member}`, text, metadata: { writer: number, member, sequence } };
    });
    const others = Array.from({ length: random.integer(25) }, (): DocumentInput => {
      const id = `${number}-other-${random.integer(3_000)}`;
      return { id, text: this.#words(), metadata: { writer: number, other: true } };
    });
    const unique = new Map([...members, ...others].map((document) => [document.id, document]));
    await this.#index.addDocuments([...unique.values()]);
    this.#sequence = sequence;
    this.#tally.write(sequence);
    this.#counts.commits++;
  }

  async #delete(): Promise<void> {
    const { number } = this.#orders;
    const ids = Array.from({ length: 20 }, () => `${number}-other-${this.#random.integer(3_000)}`);
    await this.#index.deleteDocuments(ids);
    this.#counts.commits++;
  }

  async #maintain(): Promise<void> {
    if (this.#random.chance(0.5)) await this.#index.optimize({ full: true });
    else await this.#index.optimize();
    this.#counts.maintenance++;
  }

  #words(): string {
    return Array.from({ length: 3 + this.#random.integer(8) }, () => `word${this.#random.integer(400)}`).join(' ');
  }

  close(): void {
    this.#tally.close();
  }
}
