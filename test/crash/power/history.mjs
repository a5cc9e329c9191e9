/** What a writer noted until a point of the log: which states of each lane it may have left, and its backups. */
export class History {
  /** Per lane every state so far, as a map of id to text, and how many of the changes were acknowledged. */
  #lanes = [0, 1].map(() => ({ states: [new Map()], acknowledged: 0 }));
  #pendingBackup;
  #unread = '';
  /** Whether an `open` has resolved. */
  opened = false;
  /** Acknowledged backups: their folder, and per lane the first and last state that each may hold. */
  backups = [];

  get acknowledged() {
    return this.#lanes.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  read(bytes) {
    const lines = (this.#unread + bytes.toString()).split('\n');
    this.#unread = lines.pop();
    for (const line of lines) this.#note(JSON.parse(line));
  }

  #note({ about, lane, kind, documents, ids, target }) {
    if (about === 'opened') this.opened = true;
    if (lane === undefined) return;
    if (lane === 2) {
      if (about === 'intent' && kind === 'backup') {
        this.#pendingBackup = { target, from: this.#lanes.map(({ acknowledged }) => acknowledged) };
      } else if (about === 'done' && this.#pendingBackup !== undefined) {
        this.backups.push({ ...this.#pendingBackup, to: this.#lanes.map(({ states }) => states.length - 1) });
        this.#pendingBackup = undefined;
      }
      return;
    }
    const own = this.#lanes[lane];
    if (about === 'done') own.acknowledged++;
    else own.states.push(changed(own.states.at(-1), documents, ids, kind));
  }

  /**
   * Compares documents (id to text) with the history: each lane must be at one of its states, as a whole. Returns what is
   * wrong, and how many acknowledged changes are missing.
   */
  compare(found, { from, to } = {}) {
    const faults = [];
    let lost = 0;
    for (const [lane, { states, acknowledged }] of this.#lanes.entries()) {
      const own = new Map([...found].filter(([id]) => id.startsWith(`${lane} `)));
      const last = to?.[lane] ?? states.length - 1;
      let position = last;
      while (position >= 0 && !same(states[position], own)) position--;
      if (position < 0) faults.push(`lane ${lane} has ${own.size} documents, as after none of its ${last} changes`);
      else lost += Math.max(0, (from?.[lane] ?? acknowledged) - position);
    }
    return { faults, lost };
  }
}

function changed(state, documents, ids, kind) {
  const next = new Map(state);
  if (kind === 'delete') for (const id of ids) next.delete(id);
  else for (const { id, text } of documents) next.set(id, text);
  return next;
}

function same(a, b) {
  return a.size === b.size && [...a].every(([id, text]) => b.get(id) === text);
}
