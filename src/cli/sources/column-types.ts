import type { FieldFlags } from './document-fields.js';

/** What the cells of a column become. */
export type ColumnType = 'number' | 'boolean' | 'text';

/**
 * The types of the columns of a table. A column has one type: numbers if every cell that is not empty is a number that is
 * written back as it stands (so 1.10, 02116 and 12345678901234567890 stay text), booleans if each is true or false, else
 * text. Texts and ids are always text.
 */
export class ColumnTypes {
  readonly #types = new Map<string, ColumnType>();
  readonly #forced: ReadonlySet<string>;

  constructor({ numberFields = [] }: FieldFlags) {
    this.#forced = new Set(numberFields);
  }

  /** Takes a record into account. */
  see(record: Readonly<Record<string, string>>): void {
    for (const [name, cell] of Object.entries(record)) {
      if (cell === '') continue;
      const known = this.#types.get(name);
      const type = typeOf(cell);
      if (known === undefined) this.#types.set(name, type);
      else if (known !== type) this.#types.set(name, 'text');
    }
  }

  /** The value of a cell that is not empty; undefined where the column was named as one of numbers and it is not one. */
  valueOf(name: string, cell: string): string | number | boolean | undefined {
    if (this.#forced.has(name)) {
      const number = Number(cell);
      return cell.trim() !== '' && Number.isFinite(number) ? number : undefined;
    }
    const type = this.#types.get(name);
    if (type === 'number') return Number(cell);
    return type === 'boolean' ? cell.toLowerCase() === 'true' : cell;
  }
}

function typeOf(cell: string): ColumnType {
  const number = Number(cell);
  if (Number.isFinite(number) && String(number) === cell) return 'number';
  return /^(?:true|false)$/i.test(cell) ? 'boolean' : 'text';
}
