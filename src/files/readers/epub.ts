import { optionalXml, resolvePart, unpack, xmlOf } from '../content/archive.js';
import { ContentBuilder } from '../content/content-builder.js';
import type { FileContent, ReadLimits } from '../content/file-content.js';
import { invalidFile } from '../content/invalid-file.js';
import { parseXml } from '../content/xml.js';
import { addHtmlBlocks } from './html-blocks.js';
import { dublinCore } from './office-properties.js';

/**
 * The text of an EPUB (https://www.w3.org/TR/epub-33/) in its reading order. Its pages are the documents of its spine,
 * called chapters.
 */
export function readEpub(bytes: Uint8Array, { maxCharacters }: ReadLimits): FileContent {
  const entries = unpack(bytes, (name) => /\.(?:xml|opf|x?html?)$/i.test(name));
  const root = packagePath(xmlOf(entries, 'META-INF/container.xml'));
  const book = xmlOf(entries, root);
  const encrypted = encryptedParts(optionalXml(entries, 'META-INF/encryption.xml'));
  const chapters = spine(book).map((target) => resolvePart(root, decoded(target)));
  const locked = chapters.find((chapter) => encrypted.has(chapter));
  if (locked !== undefined) {
    throw invalidFile(`it is encrypted (${locked})`, 'Files with copy protection cannot be read.');
  }
  const builder = new ContentBuilder(maxCharacters);
  chapters.forEach((chapter, position) => {
    addHtmlBlocks(optionalXml(entries, chapter), builder, { mainContent: false, page: position + 1 });
  });
  if (builder.isEmpty)
    throw invalidFile('it has no text', 'It may consist of images: run text recognition (OCR) first.');
  return builder.finish(dublinCore(book), { pageKind: 'chapter', pages: chapters.length });
}

function packagePath(container: string): string {
  let path: string | undefined;
  parseXml(container, {
    open: (name, attributes) => {
      if (name === 'rootfile') path ??= attributes['full-path'];
    },
  });
  if (path === undefined) throw invalidFile('its container names no package', 'Save it again.');
  return path;
}

/** The documents of a book in reading order. */
function spine(book: string): string[] {
  const items = new Map<string, { href: string; type: string }>();
  const order: string[] = [];
  parseXml(book, {
    open: (name, { id, href, idref, 'media-type': type = '' }) => {
      if (name === 'item' && id !== undefined && href !== undefined) items.set(id, { href, type });
      else if (name === 'itemref' && idref !== undefined) order.push(idref);
    },
  });
  return order.flatMap((id) => {
    const item = items.get(id);
    return item !== undefined && /html/.test(item.type) ? [item.href] : [];
  });
}

function encryptedParts(xml: string): Set<string> {
  const parts = new Set<string>();
  let isFont = false;
  parseXml(xml, {
    open: (name, { Algorithm: algorithm, URI: uri }) => {
      // Fonts may be obfuscated in books without copy protection.
      if (name === 'EncryptionMethod') isFont = /idpf\.org|adobe\.com/.test(algorithm ?? '');
      if (name === 'CipherReference' && uri !== undefined && !isFont) parts.add(decoded(uri));
    },
  });
  return parts;
}

function decoded(path: string): string {
  const bare = path.replace(/#.*$/, '');
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
}
