const [quote, backslash, comma] = [34, 92, 44];
const opening = new Set([123, 91]);
const closing = new Set([125, 93]);
const maxLength = 1024;

/**
 * Finds the member `id` of a JSON object that arrives in pieces, without keeping the object: a member of the same name further
 * inside, or within a string, is not taken for it.
 */
export class TopLevelId {
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Text at the top level since the last comma: a name, or a name and its value. */
  #member = '';
  #isOver = false;
  #id: string | number | undefined;

  /** Undefined while it was not found, and when it is neither a string nor a number. */
  get id(): string | number | undefined {
    return this.#id;
  }

  read(bytes: Uint8Array): void {
    if (this.#isOver) return;
    for (const byte of bytes) {
      // The top level alone is kept.
      const isTop = this.#depth === 1;
      if (this.#inString) {
        if (isTop) this.#keep(byte);
        if (this.#escaped) this.#escaped = false;
        else if (byte === backslash) this.#escaped = true;
        else if (byte === quote) this.#inString = false;
        continue;
      }
      if (byte === quote) this.#inString = true;
      if (opening.has(byte)) this.#depth++;
      else if (closing.has(byte)) {
        this.#depth--;
        if (this.#depth === 0) {
          this.#endMember();
          this.#isOver = true;
          return;
        }
      } else if (isTop && byte === comma) this.#endMember();
      else if (isTop) this.#keep(byte);
    }
  }

  #keep(byte: number): void {
    if (this.#member.length < maxLength) this.#member += String.fromCharCode(byte);
  }

  #endMember(): void {
    const member = this.#member;
    this.#member = '';
    if (member.length >= maxLength) return;
    try {
      const parsed = JSON.parse(`{${Buffer.from(member, 'latin1').toString('utf8')}}`) as { id?: unknown };
      if (typeof parsed.id === 'string' || typeof parsed.id === 'number') this.#id = parsed.id;
    } catch {
      // A member whose value is an object or an array, of which nothing was kept.
    }
  }
}
