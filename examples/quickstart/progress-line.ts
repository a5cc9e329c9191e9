const secondsBetweenLines = 10;

/** Shows how many files were read: one line that changes on a terminal, a line now and then in a pipe or a log. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  #lastLine = Date.now();

  constructor(stream: NodeJS.WriteStream = process.stdout) {
    this.#stream = stream;
  }

  update(filesRead: number): void {
    const line = `  ${filesRead.toLocaleString('en')} files so far`;
    if (this.#stream.isTTY) this.#stream.write(`\r${line}`);
    else if (Date.now() - this.#lastLine >= secondsBetweenLines * 1000) {
      this.#lastLine = Date.now();
      this.#stream.write(`${line}\n`);
    }
  }

  /** Makes room for what is printed next. */
  stop(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\u001b[K');
  }
}
