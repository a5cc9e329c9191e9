#!/usr/bin/env node
import { makeProgram } from './program.js';

// What reads our output may have seen enough: semantic-index list my-index | head
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

await makeProgram(process.argv.includes('--json')).parseAsync();
