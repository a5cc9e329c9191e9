const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const unescaped = (text) => text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name) => entities[name]);

/** Results of the kernel tests, from the report of ctest. For a failed one, the end of its output. */
export function readKernelReport(report) {
  const cases = [...report.matchAll(/<testcase name="([^"]*)"[^>]*? status="(\w+)"[^>]*?>([\s\S]*?)<\/testcase>/g)];
  const failures = cases
    .filter(([, , status]) => status === 'fail')
    .map(([, name, , body]) => {
      const output = body.match(/<system-out>([\s\S]*?)<\/system-out>/)?.[1] ?? '';
      const reason = body.match(/<failure message="([^"]*)"/)?.[1] ?? '';
      const lines = output.split('\n').filter((line) => line.trim() !== '');
      return { name: `ctest ${name}`, message: unescaped([...lines.slice(-5), reason].join('\n')) };
    });
  const passed = cases.filter(([, , status]) => status === 'run').length;
  return { passed, skipped: cases.length - passed - failures.length, failures };
}
