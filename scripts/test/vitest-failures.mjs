// A reporter of vitest: counts, and everything that went wrong with its message, as JSON in SEMANTIC_INDEX_TEST_REPORT.
// The JSON of vitest contains neither errors outside of tests (a lost worker, an unhandled rejection) nor failed hooks.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

/** The line of ours where an error arose; a long message would push it out of a short list. */
function place(error, root) {
  const frame = error?.stacks?.find(({ file }) => file.startsWith(root) && !file.includes('node_modules'));
  return frame === undefined ? '' : ` (${relative(root, frame.file)}:${frame.line})`;
}

/** The message, and the difference that an assertion shows. */
function described(error) {
  const prefix = ['Error', 'AssertionError', undefined].includes(error.name) ? '' : `${error.name}: `;
  return [`${prefix}${error.message}`, error.diff].filter(Boolean).join('\n');
}

export default class VitestFailures {
  onInit(vitest) {
    this.root = vitest.config.root;
  }

  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    const failures = [];
    const add = (name, errors) =>
      failures.push({ name: name + place(errors[0], this.root), message: errors.map(described).join('\n') });
    for (const module of modules) {
      const file = module.relativeModuleId;
      if (module.errors().length > 0) add(file, module.errors());
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length > 0) add(`${file} > ${suite.fullName}`, suite.errors());
      }
      let unfinished = 0;
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        counts[state] += 1;
        if (state === 'failed') add(`${file} > ${test.fullName}`, errors);
        if (state === 'pending') unfinished += 1;
      }
      if (unfinished > 0) failures.push({ name: file, message: `${unfinished} of its tests did not finish` });
    }
    for (const error of unhandledErrors) {
      // Vitest knows only in which file it was when the error came.
      const file = error.VITEST_TEST_PATH && relative(this.root, error.VITEST_TEST_PATH);
      const name = error.type ?? 'Error outside of the tests';
      failures.push({ name: file ? `${file} > ${name}` : name, message: error.stack || described(error) });
    }
    writeFileSync(
      process.env.SEMANTIC_INDEX_TEST_REPORT,
      JSON.stringify({ passed: counts.passed, skipped: counts.skipped, failures }),
    );
  }
}
