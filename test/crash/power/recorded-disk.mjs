import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const kinds = ['', 'create', 'mkdir', 'write', 'truncate', 'sync', 'rename', 'unlink', 'touch', 'link'];
const block = 4_096;
const sector = 512;

/** The records of a log of record-shim.c, in the order of the calls. */
export function* readLog(bytes) {
  for (let at = 0; at + 40 <= bytes.length; ) {
    const [kind, firstLength, secondLength, size] = [0, 4, 8, 12].map((offset) => bytes.readUInt32LE(at + offset));
    const record = {
      kind: kinds[kind],
      inode: bytes.readBigUInt64LE(at + 16),
      offset: Number(bytes.readBigInt64LE(at + 24)),
      modified: Number(bytes.readBigInt64LE(at + 32)),
    };
    at += 40;
    const take = (length) => {
      const from = at;
      at += length;
      return bytes.subarray(from, at);
    };
    yield { ...record, first: take(firstLength).toString(), second: take(secondLength).toString(), data: take(size) };
  }
}

/**
 * What a disk holds while calls are made: the content that was synced, and what came after, which a power cut may take away.
 * Names belong to their directory: they are certain when the directory was synced. A rename happens as a whole, as on
 * every file system with a journal; all else that was not synced may be there or not, in any combination.
 */
export class RecordedDisk {
  #root;
  #folder;
  #objects = new Map();
  /** Changes of names that no directory was synced after, in order. */
  #names = [];

  constructor(folder) {
    this.#folder = folder;
    this.#root = directory();
  }

  /** The file that a path leads to now. */
  find(path) {
    const parts = path.slice(this.#folder.length).split('/').filter(Boolean);
    return parts.reduce((place, name) => place?.entries?.get(name), this.#root);
  }

  /** The file that a record is about. */
  fileOf({ inode }) {
    return this.#objects.get(inode);
  }

  /** Sets the inode of the root of the disk, from its first sync. */
  apply(record) {
    const { kind, inode, first, second, offset, data, modified } = record;
    switch (kind) {
      case 'create':
      case 'mkdir': {
        const object = kind === 'mkdir' ? directory() : file(modified);
        this.#objects.set(inode, object);
        return this.#change([[first, object]]);
      }
      case 'rename':
        return this.#change([
          [first, undefined],
          [second, this.find(first)],
        ]);
      case 'link':
        return this.#change([[second, this.find(first)]]);
      case 'unlink':
        return this.#change([[first, undefined]]);
      case 'sync': {
        const object = this.#objects.get(inode) ?? this.#root;
        return object.entries === undefined ? syncFile(object) : this.#syncDirectory(object);
      }
    }
    const object = this.#objects.get(inode);
    if (object?.entries !== undefined || object === undefined) return;
    object.modified = modified;
    if (kind === 'write') object.pending.push({ offset, data });
    if (kind === 'truncate') object.pending.push({ length: offset });
  }

  #change(pairs) {
    const changes = pairs.map(([path, to]) => ({ place: this.find(dirname(path)), name: basename(path), to }));
    for (const { place, name, to } of changes) setEntry(place.entries, name, to);
    this.#names.push(changes);
  }

  #syncDirectory(object) {
    this.#names = this.#names.filter((changes) => {
      if (!changes.some(({ place }) => place === object)) return true;
      for (const { place, name, to } of changes) setEntry(place.synced, name, to);
      return false;
    });
  }

  /**
   * Writes a state that a power cut may leave now into a new folder. `names` and `data` say what of the unsynced is there:
   * 'none', 'all', 'prefix' (the first of them, in order), 'any' (each by chance; writes in pieces of blocks, one of them
   * torn in the middle); data also 'zeros' (size and time as they were last, bytes missing), or 'mixed' (each file its own).
   */
  materialize(target, { names, data }, random) {
    const kept = keptNames(this.#names, names, random);
    const places = new Map();
    const entriesOf = (place) => {
      if (!places.has(place)) places.set(place, new Map(place.synced));
      return places.get(place);
    };
    for (const changes of kept) for (const { place, name, to } of changes) setEntry(entriesOf(place), name, to);
    const lay = (place, path) => {
      mkdirSync(path);
      for (const [name, object] of entriesOf(place)) {
        if (object.entries !== undefined) lay(object, join(path, name));
        else layFile(object, join(path, name), data, random);
      }
    };
    lay(this.#root, target);
  }
}

function directory() {
  return { entries: new Map(), synced: new Map() };
}

function file(modified) {
  return { content: Buffer.alloc(0), pending: [], modified, modifiedWhenSynced: modified };
}

function setEntry(entries, name, to) {
  if (to === undefined) entries.delete(name);
  else entries.set(name, to);
}

function syncFile(object) {
  object.content = applied(object.content, object.pending);
  object.pending = [];
  object.modifiedWhenSynced = object.modified;
}

function applied(content, operations) {
  let size = content.length;
  let longest = size;
  for (const { offset, data, length } of operations) {
    size = length ?? Math.max(size, offset + data.length);
    longest = Math.max(longest, size);
  }
  const bytes = Buffer.alloc(longest);
  content.copy(bytes);
  let end = content.length;
  for (const { offset, data, length } of operations) {
    if (length !== undefined) {
      bytes.fill(0, Math.min(length, end));
      end = length;
    } else {
      data.copy(bytes, offset);
      end = Math.max(end, offset + data.length);
    }
  }
  return bytes.subarray(0, end);
}

function keptNames(changes, mode, random) {
  if (mode === 'none') return [];
  if (mode === 'all') return changes;
  if (mode === 'prefix') return changes.slice(0, random.integer(changes.length + 1));
  // A name that stays behind once stays behind for good, and keeps back what belongs to it.
  const behind = new Map();
  const isBehind = ({ place, name }) => behind.get(place)?.has(name);
  return changes.filter((change) => {
    if (!change.some(isBehind) && random.chance(0.6)) return true;
    for (const { place, name } of change) behind.set(place, (behind.get(place) ?? new Set()).add(name));
    return false;
  });
}

function layFile({ content, pending, modified, modifiedWhenSynced }, path, mode, random) {
  const chosen = mode === 'mixed' ? random.pick(['none', 'all', 'prefix', 'any', 'zeros']) : mode;
  const isNewer = pending.length > 0 ? chosen !== 'none' : random.chance(0.5);
  writeFileSync(path, contentOf(content, pending, chosen, random));
  const seconds = ((isNewer ? modified : modifiedWhenSynced) + 0.5) / 1_000;
  utimesSync(path, seconds, seconds);
}

function contentOf(content, pending, mode, random) {
  if (mode === 'none') return content;
  if (mode === 'all') return applied(content, pending);
  if (mode === 'zeros') {
    const end = applied(content, pending).length;
    return applied(content, [{ length: end }]);
  }
  if (mode === 'prefix') {
    const count = random.integer(pending.length + 1);
    const next = pending[count];
    const torn = next?.data === undefined ? [] : [start(next, random.integer(next.data.length / sector + 1) * sector)];
    return applied(content, [...pending.slice(0, count), ...torn]);
  }
  return applied(
    content,
    pending.flatMap(piecesOf).flatMap((piece) => {
      if (piece.data === undefined || random.chance(0.6)) return random.chance(0.8) ? [piece] : [];
      return random.chance(0.3) ? [start(piece, random.integer(piece.data.length / sector + 1) * sector)] : [];
    }),
  );
}

function start({ offset, data }, length) {
  return { offset, data: data.subarray(0, length) };
}

/** A write in pieces that each lie in one block. */
function piecesOf(operation) {
  if (operation.data === undefined) return [operation];
  const { offset, data } = operation;
  const pieces = [];
  for (let at = 0; at < data.length; ) {
    const length = Math.min(block - ((offset + at) % block), data.length - at);
    pieces.push({ offset: offset + at, data: data.subarray(at, at + length) });
    at += length;
  }
  return pieces;
}
