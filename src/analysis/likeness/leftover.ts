/** Most words of one text alone that are compared with those of the other. */
export const maxLeftovers = 24;

/** A word of one text without match in the other. */
export interface Leftover {
  readonly id: number;
  readonly at: number;
  readonly weight: number;
  readonly name: boolean;
  readonly aside: boolean;
  /** Best similarity to a word that only the other text has. */
  similarity: number;
  /** Best similarity to any word of the other text. */
  implied: number;
  joined: boolean;
}
