import type { AnnoyInfo } from './annoy-reader.js';

/** What an index is, field by field and a line each, for a console: the fields that bigANNOY prints, and a few more. */
export function summaryOf(info: AnnoyInfo): string {
  const { inUse, reason } = info.accelerator;
  const fields: readonly (readonly [string, unknown])[] = [
    ['path', info.path],
    ['sidecar', info.sidecar],
    ['id', info.id],
    ['metric', info.metric],
    ['dimensions', info.f === 0 ? undefined : info.f],
    ['items', info.items],
    ['trees', info.trees],
    ['seed', info.seed],
    ['threads', info.threads],
    ['engine', info.engine],
    ['load mode', info.loadMode],
    ['state', info.state],
    ['loaded', info.isLoaded ? 'yes' : 'no'],
    ['prefault', info.prefault ? 'yes' : 'no'],
    ['file size', info.fileSize],
    ['checksum', info.checksum],
    ['accelerated', inUse ? 'yes' : `no (${reason})`],
  ];
  const lines = fields.map(([name, value]) => `  ${`${name}:`.padEnd(13)}${value === undefined ? '-' : String(value)}`);
  if (info.warning !== undefined) lines.push(`  ${'warning:'.padEnd(13)}${info.warning}`);
  return ['AnnoyIndex', ...lines].join('\n');
}
