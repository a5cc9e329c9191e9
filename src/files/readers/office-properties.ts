import { isoDate, properties } from '../content/content-builder.js';
import type { FileProperties } from '../content/file-content.js';
import { parseXml } from '../content/xml.js';

/** The properties in docProps/core.xml of an Office file, or in the metadata of an EPUB (Dublin Core). */
export function dublinCore(xml: string): Omit<FileProperties, 'format'> {
  const values = new Map<string, string>();
  let open: string | undefined;
  parseXml(xml, {
    open: (name) => {
      open = values.has(name) ? undefined : name;
    },
    text: (text) => {
      if (open !== undefined) values.set(open, (values.get(open) ?? '') + text);
    },
    close: () => {
      open = undefined;
    },
  });
  return properties({
    title: usefulTitle(values.get('title')),
    author: values.get('creator'),
    language: values.get('language'),
    created: isoDate(values.get('created') ?? values.get('date')),
    modified: isoDate(values.get('modified')),
  });
}

/** A title that programs have not made up from the name of a file. */
export function usefulTitle(title: string | undefined): string | undefined {
  const isMadeUp =
    /^(?:microsoft (?:word|powerpoint)\b|untitled|powerpoint presentation$|title$|document\d*$)|\.(?:docx?|pptx?|xlsx?|pdf|tex|dvi|indd|qxd|rtf|odt)$/i;
  return title === undefined || isMadeUp.test(title.trim()) ? undefined : title;
}
