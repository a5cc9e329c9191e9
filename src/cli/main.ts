#!/usr/bin/env node
import { makeProgram } from './program.js';

// The reader of the output may close the pipe early: semantic-index list my-index | head
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

const program = await makeProgram(process.argv.slice(2));
await program.parseAsync();
