import { createInterface } from 'node:readline/promises';

/** Asks for questions until an empty line, the end of the input or Ctrl-C, and prints what `answer` makes of each. */
export async function ask(answer: (question: string) => Promise<string>): Promise<void> {
  const terminal = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: '\nAsk (empty line to leave): ',
  });
  terminal.on('SIGINT', () => terminal.close());
  terminal.prompt();
  for await (const line of terminal) {
    const question = line.trim();
    if (question === '') break;
    console.log(await answer(question));
    terminal.prompt();
  }
  terminal.close();
}
