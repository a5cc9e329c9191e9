const noToken = -1;
const [firstCode, lastCode] = [0x21, 0x7e];

/** Finds the longest token of a vocabulary that a word goes on with, in one pass. Holds tokens of printable ASCII. */
export class TokenTrie {
  /** Children of nodes: at a place found by hashing, `node * 128 + character`, or 0 if it is free, and the number of the child. */
  #slots: Int32Array;
  #nodes = 1;
  /** The token that ends at each node. */
  #tokens: Int32Array;
  /** Where the token that was found last ends. */
  end = 0;

  constructor(vocabulary: Iterable<readonly [token: string, id: number]>) {
    const tokens = [...vocabulary].filter(([token]) => isPrintable(token));
    const size = tokens.reduce((sum, [token]) => sum + token.length, 1);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * size + 2)) * 2);
    this.#tokens = new Int32Array(size).fill(noToken);
    for (const [token, id] of tokens) {
      let node = 0;
      for (let at = 0; at < token.length; at++) {
        const slot = this.#slotOf(node, token.charCodeAt(at));
        if (this.#slots[slot] === 0) {
          this.#slots[slot] = node * 128 + token.charCodeAt(at);
          this.#slots[slot + 1] = this.#nodes++;
        }
        node = this.#slots[slot + 1] as number;
      }
      this.#tokens[node] = id;
    }
  }

  /** The id of the longest token at this place of a word of printable ASCII, which ends at `end`; -1 if there is none. */
  longest(word: string, start: number): number {
    let found = noToken;
    let node = 0;
    for (let at = start; at < word.length; ) {
      const slot = this.#slotOf(node, word.charCodeAt(at));
      if (this.#slots[slot] === 0) break;
      node = this.#slots[slot + 1] as number;
      at++;
      const token = this.#tokens[node] as number;
      if (token === noToken) continue;
      found = token;
      this.end = at;
    }
    return found;
  }

  #slotOf(node: number, code: number): number {
    const slots = this.#slots;
    const key = node * 128 + code;
    const mask = slots.length - 1;
    let slot = (Math.imul(key, 0x9e3779b1) >>> 8) & mask & ~1;
    while (slots[slot] !== 0 && slots[slot] !== key) slot = (slot + 2) & mask;
    return slot;
  }
}

function isPrintable(token: string): boolean {
  for (let at = 0; at < token.length; at++) {
    const code = token.charCodeAt(at);
    if (code < firstCode || code > lastCode) return false;
  }
  return token !== '';
}
