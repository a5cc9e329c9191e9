/** The parameters of a statement, in the order in which they were bound. */
export class Parameters {
  readonly values: unknown[] = [];

  /** Binds a value; returns its place in the statement. */
  bind(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  /** Binds numbers, for example keys, as an array. */
  numbers(values: readonly number[]): string {
    return `${this.bind(values)}::bigint[]`;
  }

  /** Binds numbers as they are, without a loss of digits. */
  floats(values: readonly number[]): string {
    return `${this.bind(values)}::float8[]`;
  }

  texts(values: readonly string[]): string {
    return `${this.bind(values)}::text[]`;
  }

  /** Binds a number as it is, without a loss of digits. */
  float(value: number): string {
    return `${this.bind(String(value))}::float8`;
  }
}
