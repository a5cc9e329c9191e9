import type { FilterTree, Scalar, Step, ValueTest } from '../backend/filter-tree.js';
import { SemanticIndexError } from '../errors.js';
import { ColumnWriter } from './column-writer.js';
import { pathBehind } from './metadata-packer.js';
import { valueKinds } from './value-kind.js';

/** A filter for the kernel, which evaluates it on columns (native/kernel/columns/FORMAT.md, "Filter program"). */
export type FilterProgram = Uint8Array<ArrayBuffer>;

const version = 1;
const operations = { none: 0, all: 1, negate: 2, both: 3, either: 4, doubt: 5, values: 6, opaque: 7 } as const;
const valueOperations = {
  everything: 0,
  kind: 1,
  number: 2,
  string: 3,
  numbers: 4,
  strings: 5,
  part: 6,
  listSize: 7,
  longerLists: 8,
  negate: 9,
  both: 10,
  either: 11,
} as const;
const comparisons = { '=': 0, '<': 1, '<=': 2, '>': 3, '>=': 4 } as const;
const noPath = new Uint8Array();

/** A place that a name reaches, or where columns cannot show what it reaches. */
export type Reached =
  | { readonly kind: 'value'; readonly path: Uint8Array }
  /** A list on the way: an opaque one may have objects that the name goes on in. */
  | { readonly kind: 'through'; readonly path: Uint8Array }
  /** The element of a list with this index. */
  | { readonly kind: 'element'; readonly path: Uint8Array; readonly index: number };

/**
 * Compiles a filter for the columns of documents. The kernel evaluates it to the documents that match for certain, and those that
 * columns cannot decide.
 */
export function compileFilterProgram(tree: FilterTree): FilterProgram {
  const compiler = new ProgramCompiler();
  compiler.filter(tree);
  return compiler.take();
}

class ProgramCompiler {
  readonly #writer = new ColumnWriter();
  #instructions = 0;

  take(): FilterProgram {
    const program = new ColumnWriter(this.#writer.size + 16);
    program.byte(version);
    program.varint(this.#instructions);
    program.bytes(this.#writer.take());
    return program.take();
  }

  filter(tree: FilterTree): void {
    switch (tree.kind) {
      case 'all':
      case 'any':
        this.#joined(
          tree.of,
          (one) => this.filter(one),
          tree.kind === 'all' ? operations.both : operations.either,
          tree.kind === 'all' ? operations.all : operations.none,
        );
        return;
      case 'not':
        this.filter(tree.of);
        this.#operation(operations.negate);
        return;
      case 'field':
        this.#field(reachedBy(tree.field.readings), tree.test);
    }
  }

  #operation(operation: number): void {
    this.#instructions += 1;
    this.#writer.byte(operation);
  }

  /** What is joined is combined one by one, so that few results wait at once. */
  #joined<One>(parts: readonly One[], emit: (one: One) => void, operation: number, empty: number): void {
    if (parts.length === 0) this.#operation(empty);
    for (const [position, one] of parts.entries()) {
      emit(one);
      if (position > 0) this.#operation(operation);
    }
  }

  #any<One>(parts: readonly One[], emit: (one: One) => void): void {
    this.#joined(parts, emit, operations.either, operations.none);
  }

  #field(reached: readonly Reached[], test: ValueTest): void {
    if (test.test === 'null') this.#isNull(reached);
    else this.#any(reached, (place) => this.#reached(place, test));
  }

  /** Null, or nothing: also in one of the objects of a list on the way. */
  #isNull(reached: readonly Reached[]): void {
    this.#any(reached, (place) => this.#reached(place, { test: 'null' }));
    this.#any(reached, (place) => this.#reached(place, { test: 'exists' }));
    this.#operation(operations.negate);
    this.#operation(operations.either);
  }

  #reached(place: Reached, test: ValueTest): void {
    if (place.kind === 'value') this.#test(place.path, test);
    else if (place.kind === 'through') this.#opaque(place.path);
    else {
      this.#values(place.path, false, (values) => values.longerLists(place.index));
      this.#operation(operations.doubt);
    }
  }

  #opaque(path: Uint8Array): void {
    this.#operation(operations.opaque);
    this.#writer.varint(path.length);
    this.#writer.bytes(path);
  }

  #values(path: Uint8Array, concernsStrings: boolean, emit: (values: ValueSelection) => void): void {
    const selection = new ValueSelection();
    emit(selection);
    this.#operation(operations.values);
    this.#writer.varint(path.length);
    this.#writer.bytes(path);
    this.#writer.byte(concernsStrings ? 1 : 0);
    this.#writer.varint(selection.instructions);
    this.#writer.bytes(selection.take());
  }

  #isList(path: Uint8Array): void {
    this.#values(path, false, (values) => values.kind(valueKinds.list));
  }

  #scalar(path: Uint8Array, value: Scalar | null): void {
    this.#values(path, typeof value === 'string', (values) => values.equal(value));
  }

  #test(path: Uint8Array, test: ValueTest): void {
    switch (test.test) {
      case 'null':
        this.#scalar(path, null);
        return;
      case 'equal':
        this.#scalar(path, test.value);
        return;
      case 'member':
        this.#values(path, typeof test.values[0] === 'string', (values) => values.member(test.values));
        return;
      case 'order':
        this.#values(path, typeof test.value === 'string', (values) => values.compared(test.sign, test.value));
        return;
      case 'exists':
        this.#values(path, false, (values) => values.everything());
        return;
      case 'size':
        this.#values(path, false, (values) => values.listSize(test.size));
        return;
      case 'list':
        this.#list(path, test.value);
        return;
      case 'contains':
        this.#contains(path, test.value);
        return;
      case 'element':
        this.#element(path, test);
    }
  }

  #element(path: Uint8Array, test: Extract<ValueTest, { test: 'element' }>): void {
    // A list with an object in it is opaque.
    if (test.objects) {
      this.#opaque(path);
      return;
    }
    const isExact = !hasPartOfCharacter(test.of);
    if (isExact) this.#values(path, false, (values) => values.filter(test.of));
    this.#isList(path);
    this.#operation(isExact ? operations.both : operations.doubt);
  }

  /** Columns have the distinct elements of a list and their number; that decides lists of up to one element. */
  #list(path: Uint8Array, list: readonly unknown[]): void {
    const elements = [...new Set(list)];
    if (elements.some((element) => Array.isArray(element))) {
      this.#opaque(path);
      return;
    }
    this.#values(path, false, (values) => values.listSize(list.length));
    for (const element of elements) {
      this.#scalar(path, element as Scalar | null);
      this.#operation(operations.both);
    }
    if (list.length > 1) this.#operation(operations.doubt);
  }

  #contains(path: Uint8Array, value: Scalar | null): void {
    this.#scalar(path, value);
    this.#isList(path);
    this.#operation(operations.both);
    if (typeof value !== 'string') return;
    const isExact = value.isWellFormed();
    this.#values(path, true, (values) => (isExact ? values.part(value) : values.kind(valueKinds.string)));
    if (!isExact) this.#operation(operations.doubt);
    this.#isList(path);
    this.#operation(operations.negate);
    this.#operation(operations.both);
    this.#operation(operations.either);
  }
}

/** Selects values of one column. */
class ValueSelection {
  readonly #writer = new ColumnWriter();
  instructions = 0;

  take(): Uint8Array {
    return this.#writer.take();
  }

  everything(): void {
    this.#operation(valueOperations.everything);
  }

  kind(kind: number): void {
    this.#operation(valueOperations.kind);
    this.#writer.byte(kind);
  }

  equal(value: Scalar | null): void {
    if (value === null) this.kind(valueKinds.null);
    else if (typeof value === 'boolean') this.kind(value ? valueKinds.true : valueKinds.false);
    else this.compared('=', value);
  }

  compared(sign: keyof typeof comparisons, value: string | number): void {
    this.#operation(typeof value === 'string' ? valueOperations.string : valueOperations.number);
    this.#writer.byte(comparisons[sign]);
    if (typeof value === 'string') this.#writer.string(value);
    else this.#writer.number(value);
  }

  member(members: readonly string[] | readonly number[]): void {
    this.#operation(typeof members[0] === 'string' ? valueOperations.strings : valueOperations.numbers);
    this.#writer.varint(members.length);
    for (const member of members) {
      if (typeof member === 'string') this.#writer.string(member);
      else this.#writer.number(member);
    }
  }

  part(part: string): void {
    this.#operation(valueOperations.part);
    this.#writer.string(part);
  }

  listSize(size: number): void {
    this.#operation(valueOperations.listSize);
    this.#writer.varint(size);
  }

  longerLists(size: number): void {
    this.#operation(valueOperations.longerLists);
    this.#writer.varint(size);
  }

  /** The scalars that match as elements of a list themselves. */
  filter(tree: FilterTree): void {
    switch (tree.kind) {
      case 'all':
      case 'any':
        if (tree.of.length === 0) this.#constant(tree.kind === 'all');
        for (const [position, one] of tree.of.entries()) {
          this.filter(one);
          if (position > 0) this.#operation(tree.kind === 'all' ? valueOperations.both : valueOperations.either);
        }
        return;
      case 'not':
        this.filter(tree.of);
        this.#operation(valueOperations.negate);
        return;
      case 'field':
        if (tree.field.readings.length > 0) {
          throw new SemanticIndexError(
            'INTERNAL',
            `Expected a condition on an element itself, got "${tree.field.name}"`,
          );
        }
        this.#element(tree.test);
    }
  }

  /** A list with a list in it is opaque, so elements are not lists here. */
  #element(test: ValueTest): void {
    if (test.test === 'null') this.equal(null);
    else if (test.test === 'equal') this.equal(test.value);
    else if (test.test === 'member') this.member(test.values);
    else if (test.test === 'order') this.compared(test.sign, test.value);
    else if (test.test === 'contains' && typeof test.value === 'string') this.part(test.value);
    else this.#constant(test.test === 'exists');
  }

  /** All scalars, or none of them. */
  #constant(all: boolean): void {
    this.kind(valueKinds.object);
    if (all) this.#operation(valueOperations.negate);
  }

  #operation(operation: number): void {
    this.instructions += 1;
    this.#writer.byte(operation);
  }
}

/** Half of a surrogate pair may be a part of strings that do not have its bytes. */
function hasPartOfCharacter(tree: FilterTree): boolean {
  if (tree.kind === 'not') return hasPartOfCharacter(tree.of);
  if (tree.kind !== 'field') return tree.of.some(hasPartOfCharacter);
  return tree.test.test === 'contains' && typeof tree.test.value === 'string' && !tree.test.value.isWellFormed();
}

/** The places that a name with these readings reaches. */
export function reachedBy(readings: readonly Step[], path: Uint8Array = noPath): Reached[] {
  return readings.flatMap(({ key, rest }): Reached[] => {
    // An element that the name goes on in is not a scalar, so its list is opaque.
    if (typeof key === 'number')
      return rest.length === 0 && path.length > 0 ? [{ kind: 'element', path, index: key }] : [];
    const here = pathBehind(path, key);
    if (rest.length === 0) return [{ kind: 'value', path: here }];
    return [{ kind: 'through', path: here }, ...reachedBy(rest, here)];
  });
}
