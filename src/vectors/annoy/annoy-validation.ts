import { existsSync, type Stats, statSync } from 'node:fs';
import { addon } from '../../addon/addon.js';
import type { NativeIndex, NativeStructureReport } from '../../addon/native-index.js';
import { runNativeTask } from '../../addon/native-task.js';
import { SemanticIndexError } from '../../errors.js';
import type { Check, Metric, ValidationReport } from '../../types.js';
import { METRICS } from '../metric.js';
import { followLinks, kindOfFile } from '../regular-file.js';
import { graphPath } from './annoy-graph.js';
import { type AnnoyDescription, readSidecar, sidecarPath } from './sidecar.js';

/** The index to validate. */
export interface ValidationSubject {
  readonly f: number;
  readonly metric: Metric;
  /** Undefined for an index in memory. */
  readonly path: string | undefined;
  /** A second owner of the forest, for an index in memory. */
  readonly native: NativeIndex | undefined;
}

/** Tolerance of the modification time in milliseconds: some file systems round it to two seconds. */
const MTIME_TOLERANCE = 2000;

/** Collects checks; the report is valid unless a check of severity `error` fails. */
class Checks {
  readonly list: Check[] = [];

  add(check: string, passed: boolean, message: string, severity: Check['severity'] = 'error', hint?: string): boolean {
    this.list.push({ check, passed, severity, message, ...(passed || hint === undefined ? {} : { hint }) });
    return passed;
  }

  report(): ValidationReport {
    return { valid: this.list.every(({ passed, severity }) => passed || severity !== 'error'), checks: this.list };
  }
}

/** Checks an index without changing it: maps the file a second time, or reads the memory. */
export async function validateIndex(subject: ValidationSubject): Promise<ValidationReport> {
  const checks = new Checks();
  if (subject.path === undefined) await validateMemory(checks, subject);
  else await validateFile(checks, subject, subject.path);
  return checks.report();
}

async function validateMemory(checks: Checks, { native, f, metric }: ValidationSubject): Promise<void> {
  if (native === undefined) return;
  const { items } = native.facts();
  checks.add('index_file', true, 'The index is in memory, without a file', 'info');
  checks.add('metric', true, `The metric is ${metric}`);
  checks.add('dimensions', true, `Vectors have ${f} dimensions`);
  checks.add('items', true, `There are ${items} items`);
  await checkStructure(checks, native);
  checks.add('load', true, 'The index is in memory', 'info');
}

async function validateFile(checks: Checks, subject: ValidationSubject, named: string): Promise<void> {
  const path = followLinks(named);
  let file: Stats;
  try {
    file = statSync(path);
  } catch (error) {
    checks.add('index_file', false, (error as Error).message, 'error', 'Restore the file or build the index again.');
    return;
  }
  if (!checks.add('index_file', file.isFile(), `${path} is ${kindOfFile(file)}`)) return;

  const sidecar = await checkSidecar(checks, path);
  checkAgreement(checks, subject, sidecar);
  if (sidecar === undefined) {
    for (const check of ['file_size', 'file_mtime', 'checksum']) {
      checks.add(check, true, 'Not checked: no sidecar to compare with', 'info');
    }
  } else {
    const { fileSize, modified } = sidecar;
    checks.add('file_size', file.size === fileSize, `The file has ${file.size} bytes, its sidecar ${fileSize}`);
    checks.add(
      'file_mtime',
      Math.abs(file.mtimeMs - modified) <= MTIME_TOLERANCE,
      `The file was modified ${iso(file.mtimeMs)}, according to the sidecar ${iso(modified)}`,
      'warning',
      'A copy may have a new time; the file is intact if the checksum passes.',
    );
  }
  await checkContents(checks, subject, path, sidecar);
}

async function checkSidecar(checks: Checks, path: string): Promise<AnnoyDescription | undefined> {
  try {
    const sidecar = await readSidecar(path);
    checks.add(
      'sidecar',
      sidecar !== undefined,
      `${sidecarPath(path)} is ${sidecar === undefined ? 'missing' : 'there'}`,
      'warning',
      'Save the index again to write one.',
    );
    return sidecar;
  } catch (error) {
    const { message, hint } = error as SemanticIndexError;
    checks.add('sidecar', false, message, 'error', hint);
    return undefined;
  }
}

function checkAgreement(checks: Checks, { f, metric }: ValidationSubject, sidecar: AnnoyDescription | undefined): void {
  if (sidecar === undefined) {
    checks.add('metric', true, `Assumed to be ${metric}: no sidecar to compare with`, 'info');
    checks.add('dimensions', true, `Assumed to be ${f}: no sidecar to compare with`, 'info');
    return;
  }
  checks.add('metric', sidecar.metric === metric, `The index has metric ${metric}, its sidecar ${sidecar.metric}`);
  checks.add(
    'dimensions',
    sidecar.dimensions === f,
    `The index has ${f} dimensions, its sidecar ${sidecar.dimensions}`,
  );
}

async function checkContents(
  checks: Checks,
  { f, metric }: ValidationSubject,
  path: string,
  sidecar: AnnoyDescription | undefined,
): Promise<void> {
  const native = new (addon().Index)(METRICS.indexOf(metric), f);
  try {
    await native.loadLater(path, false);
  } catch (error) {
    checks.add('load', false, (error as Error).message, 'error', (error as SemanticIndexError).hint);
    return;
  }
  try {
    const { items, trees } = native.facts();
    if (sidecar !== undefined) {
      checks.add(
        'items',
        items === sidecar.items && trees === sidecar.trees,
        `The file has ${items} items and ${trees} trees, its sidecar ${sidecar.items} and ${sidecar.trees}`,
      );
      const digest = await runNativeTask('checksum', {}, (task) => native.digest(task));
      const wrong = (['items', 'forest'] as const).filter((part) => digest[part] !== sidecar.sha256[part]);
      const what = wrong.length === 0 ? 'agrees with' : `of ${wrong.join(' and ')} differs from`;
      checks.add('checksum', wrong.length === 0, `The SHA-256 ${what} the sidecar`);
    } else if (items === 0) {
      checks.add(
        'items',
        false,
        'Expected items, got none: a file of zeros looks like this',
        'error',
        'Build the index again.',
      );
    } else {
      checks.add('items', true, `There are ${items} items; no sidecar to compare with`, 'info');
    }
    await checkStructure(checks, native);
    await checkGraph(checks, native, path);
    checks.add('load', true, 'The file can be loaded');
  } catch (error) {
    checks.add('load', false, (error as Error).message, 'error', (error as SemanticIndexError).hint);
  } finally {
    native.close();
  }
}

/**
 * A graph index of another forest is an error: another program has replaced the file. A damaged one, or one of another version,
 * is a warning: searches ignore it and take longer.
 */
async function checkGraph(checks: Checks, native: NativeIndex, path: string): Promise<void> {
  const file = graphPath(path);
  if (!existsSync(file)) {
    checks.add('graph', true, 'The index has no graph index', 'info');
    return;
  }
  const fault =
    native.loadGraph(file) ?? (await runNativeTask('graph', {}, (task) => native.verifyGraph(task))) ?? undefined;
  const message =
    fault === undefined ? 'The graph index is intact and belongs to this file' : `${file}: ${fault.message}`;
  const severity = fault?.isForeign === true ? 'error' : 'warning';
  checks.add('graph', fault === undefined, message, severity, 'Call buildGraph() to derive it again.');
}

/** Reads all bytes of the graph index beside an Annoy file; describes the fault, or returns undefined. */
export async function graphContentFault(path: string, metric: Metric, f: number): Promise<string | undefined> {
  const file = graphPath(path);
  if (!existsSync(file)) return undefined;
  const native = new (addon().Index)(METRICS.indexOf(metric), f);
  try {
    await native.loadLater(path, false);
    const fault = native.loadGraph(file) ?? (await runNativeTask('graph', {}, (task) => native.verifyGraph(task)));
    return fault?.message;
  } finally {
    native.close();
  }
}

async function checkStructure(checks: Checks, native: NativeIndex): Promise<void> {
  const found = await runNativeTask('structure', {}, (task) => native.validate(task));
  checks.add('structure', found.errors === 0, describeStructure(found));
}

function describeStructure({ errors, trees, items, holes, findings }: NativeStructureReport): string {
  if (errors === 0) {
    return `${trees} trees hold each of ${items} items once${holes > 0 ? `; ${holes} numbers have no item` : ''}`;
  }
  const first = findings[0];
  const place = first === undefined ? '' : `, first ${first.defect} at node ${first.node} of tree ${first.tree}`;
  return `${errors} ${errors === 1 ? 'defect' : 'defects'}${place}`;
}

function iso(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : 'at an unknown time';
}

/** @throws INVALID_FILE with the report in `details` when the report is not valid. */
export function throwUnlessValid(report: ValidationReport, name: string): void {
  if (report.valid) return;
  const failed = report.checks.filter(({ passed, severity }) => !passed && severity === 'error');
  throw new SemanticIndexError(
    'INVALID_FILE',
    `${name} is not valid: ${failed.map(({ check, message }) => `${check} (${message})`).join(', ')}`,
    { details: { report } },
  );
}
