import { SingleBar } from 'cli-progress';

/** Shows how far reading and embedding have come: a bar on a terminal, a line now and then in a pipe or a log. */
export interface ProgressLine {
  update(filesRead: number, sectionsStored: number): void;
  stop(): void;
}

const secondsBetweenLines = 10;

/** `total` counts files: how many sections they hold is known when they have been read. */
export function startProgress(total: number, stream: NodeJS.WriteStream = process.stdout): ProgressLine {
  if (!stream.isTTY) {
    let lastLine = Date.now();
    return {
      update(filesRead, sectionsStored) {
        if (Date.now() - lastLine < secondsBetweenLines * 1000) return;
        lastLine = Date.now();
        stream.write(`  ${filesRead} of ${total} files, ${sectionsStored} sections so far\n`);
      },
      stop() {},
    };
  }
  const bar = new SingleBar({
    stream,
    format: '  {bar} {percentage}% | {value} of {total} files | {sections} sections',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    linewrap: null,
  });
  bar.start(total, 0, { sections: 0 });
  return {
    update: (filesRead, sectionsStored) => bar.update(filesRead, { sections: sectionsStored }),
    stop: () => bar.stop(),
  };
}
