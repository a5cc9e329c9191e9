import { ContentBuilder, isoDate, properties } from '../content/content-builder.js';
import type { FileContent, ReadLimits } from '../content/file-content.js';
import { invalidFile, loadPackage } from '../content/invalid-file.js';
import { addHtmlBlocks } from './html-blocks.js';
import { paragraphs } from './text.js';

/**
 * An e-mail message (RFC 5322, MIME): subject, sender, recipients and date, then its text, otherwise its HTML.
 * Attachments are named, not read.
 */
export async function readEmail(bytes: Uint8Array, { maxCharacters }: ReadLimits): Promise<FileContent> {
  const { default: PostalMime } = await loadPackage(() => import('postal-mime'), 'e-mail', 'postal-mime');
  const mail = await PostalMime.parse(bytes);
  if (mail.headers.length === 0 || (mail.from === undefined && mail.subject === undefined && mail.date === undefined)) {
    throw invalidFile('it is not an e-mail message: it has no sender, subject or date', 'Save it with its headers.');
  }
  const builder = new ContentBuilder(maxCharacters);
  const { subject, from, to = [], cc = [], date } = mail;
  if (subject !== undefined) builder.add('heading', subject, { depth: 1 });
  const lines = [
    ['From', from === undefined ? '' : addressText(from)],
    ['To', [...to, ...cc].map(addressText).join(', ')],
    ['Date', date ?? ''],
    [
      'Attachments',
      mail.attachments
        .map(({ filename }) => filename ?? '')
        .filter(Boolean)
        .join(', '),
    ],
  ].filter(([, value]) => value !== '');
  builder.add('metadata', lines.map(([name, value]) => `${name}: ${value}`).join('\n'));
  const text = mail.text?.trim() ?? '';
  if (text !== '') builder.addBlocks(text, paragraphs(text));
  else if (mail.html !== undefined) addHtmlBlocks(mail.html, builder, { mainContent: false, depth: 1 });
  return builder.finish(
    properties({
      title: subject,
      author: from === undefined ? undefined : addressText(from),
      language: undefined,
      created: isoDate(date),
      modified: undefined,
    }),
  );
}

type Address = {
  readonly name?: string | undefined;
  readonly address?: string | undefined;
  readonly group?: readonly Address[] | undefined;
};

function addressText({ name = '', address = '', group }: Address): string {
  if (group !== undefined) return `${name}: ${group.map(addressText).join(', ')}`;
  return name === '' || name === address ? address : `${name} <${address}>`;
}
