import { Parser } from 'htmlparser2';
import { tooDeep } from './invalid-file.js';

const maxDepth = 10_000;

/** Receives the parts of XML in their order. Names are without their prefixes. */
export interface XmlHandler {
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  text?(text: string): void;
  close?(name: string): void;
}

/**
 * Parses XML in one pass. Entities that the document itself declares are not expanded, external ones are not loaded.
 *
 * @throws INVALID_FILE when elements are nested more than 10,000 deep.
 */
export function parseXml(xml: string, handler: XmlHandler): void {
  let depth = 0;
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        if (++depth > maxDepth) throw tooDeep(maxDepth);
        handler.open?.(localName(name), attributes);
      },
      ontext: (text) => handler.text?.(text),
      onclosetag: (name) => {
        depth--;
        handler.close?.(localName(name));
      },
    },
    { xmlMode: true, decodeEntities: true },
  );
  parser.end(xml);
}

/** The value of an attribute, whatever its prefix. */
export function attributeOf(attributes: Readonly<Record<string, string>>, name: string): string | undefined {
  if (attributes[name] !== undefined) return attributes[name];
  const found = Object.keys(attributes).find((key) => localName(key) === name);
  return found === undefined ? undefined : attributes[found];
}

/** The targets of the relationships of a part in an Office file, by id. */
export function relationships(xml: string): Map<string, { readonly target: string; readonly type: string }> {
  const found = new Map<string, { target: string; type: string }>();
  parseXml(xml, {
    open: (name, attributes) => {
      const { Id: id, Target: target, Type: type = '' } = attributes;
      if (name === 'Relationship' && id !== undefined && target !== undefined) {
        found.set(id, { target, type: type.slice(type.lastIndexOf('/') + 1) });
      }
    },
  });
  return found;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
