import { strToU8, zipSync } from 'fflate';

/** A ZIP archive of texts. */
export function archive(parts: Readonly<Record<string, string>>): Uint8Array {
  return zipSync(Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, strToU8(text)])));
}

const xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const core = (title: string): string =>
  `${xml}<cp:coreProperties xmlns:cp="c" xmlns:dc="d" xmlns:dcterms="t"><dc:title>${title}</dc:title>` +
  '<dc:creator>Ada &amp; Bob</dc:creator><dcterms:created>2024-03-01T10:00:00Z</dcterms:created></cp:coreProperties>';

/** A Word document: headings by style, a list, a table, deleted text. */
export function docx(sections: readonly (readonly [heading: string, text: string])[]): Uint8Array {
  const p = (text: string, properties = ''): string =>
    `<w:p><w:pPr>${properties}</w:pPr><w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
  const body = sections.map(([heading, text]) => p(heading, '<w:pStyle w:val="H2"/>') + p(text)).join('');
  const list = p('first item', '<w:numPr/>') + p('second item', '<w:numPr/>');
  const cell = (text: string): string => `<w:tc>${p(text)}</w:tc>`;
  const table = `<w:tbl><w:tr>${cell('City')}${cell('Country')}</w:tr><w:tr>${cell('Graz')}${cell('Austria')}</w:tr></w:tbl>`;
  const deleted = '<w:p><w:del><w:r><w:delText>removed words</w:delText></w:r></w:del></w:p>';
  return archive({
    '[Content_Types].xml': `${xml}<Types/>`,
    'word/document.xml': `${xml}<w:document xmlns:w="w"><w:body>${body}${list}${table}${deleted}</w:body></w:document>`,
    'word/styles.xml':
      `${xml}<w:styles xmlns:w="w"><w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>` +
      '<w:style w:styleId="H2"><w:basedOn w:val="H1"/><w:name w:val="Own heading"/></w:style></w:styles>',
    'docProps/core.xml': core('Handbook'),
  });
}

/** A presentation whose slides are shown in the given order, though their files are numbered the other way round. */
export function pptx(slides: readonly (readonly [title: string, text: string, notes: string])[]): Uint8Array {
  const shape = (type: string, text: string): string =>
    `<p:sp><p:nvSpPr><p:nvPr><p:ph type="${type}"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></p:txBody></p:sp>`;
  const count = slides.length;
  const parts: Record<string, string> = {
    'ppt/presentation.xml': `${xml}<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst>${slides
      .map((_, at) => `<p:sldId id="${256 + at}" r:id="rId${at + 1}"/>`)
      .join('')}</p:sldIdLst></p:presentation>`,
    'ppt/_rels/presentation.xml.rels': `${xml}<Relationships>${slides
      .map((_, at) => `<Relationship Id="rId${at + 1}" Type="x/slide" Target="slides/slide${count - at}.xml"/>`)
      .join('')}</Relationships>`,
    'docProps/core.xml': core('PowerPoint Presentation'),
  };
  slides.forEach(([title, text, notes], at) => {
    const number = count - at;
    parts[`ppt/slides/slide${number}.xml`] =
      `${xml}<p:sld xmlns:p="p" xmlns:a="a">${shape('title', title)}${shape('body', text)}${shape('sldNum', '7')}</p:sld>`;
    parts[`ppt/slides/_rels/slide${number}.xml.rels`] =
      `${xml}<Relationships><Relationship Id="rId1" Type="x/notesSlide" Target="../notesSlides/notes${number}.xml"/></Relationships>`;
    parts[`ppt/notesSlides/notes${number}.xml`] =
      `${xml}<p:notes xmlns:p="p" xmlns:a="a">${shape('body', notes)}</p:notes>`;
  });
  return archive(parts);
}

/** A workbook with one sheet; strings are shared, numbers in the second style are dates. */
export function xlsx(rows: readonly (readonly (string | number | Date)[])[]): Uint8Array {
  const strings: string[] = [];
  const cells = rows.map((row, at) => {
    const own = row.map((cell, column) => {
      const place = `${String.fromCharCode(65 + column)}${at + 1}`;
      if (typeof cell === 'number') return `<c r="${place}"><v>${cell}</v></c>`;
      if (cell instanceof Date) {
        return `<c r="${place}" s="1"><v>${cell.getTime() / 86_400_000 + 25_569}</v></c>`;
      }
      return `<c r="${place}" t="s"><v>${strings.push(cell) - 1}</v></c>`;
    });
    return `<row r="${at + 1}">${own.join('')}</row>`;
  });
  return archive({
    'xl/workbook.xml': `${xml}<workbook xmlns:r="r"><sheets><sheet name="Prices" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `${xml}<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    'xl/sharedStrings.xml': `${xml}<sst>${strings.map((text) => `<si><t>${text}</t></si>`).join('')}</sst>`,
    'xl/styles.xml': `${xml}<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>`,
    'xl/worksheets/sheet1.xml': `${xml}<worksheet><sheetData>${cells.join('')}</sheetData></worksheet>`,
  });
}

/** A book whose chapters are in a folder of their own. */
export function epub(chapters: readonly (readonly [title: string, text: string])[], encrypted = false): Uint8Array {
  const items = chapters.map(
    (_, at) => `<item id="c${at}" href="text/c%20${at}.xhtml" media-type="application/xhtml+xml"/>`,
  );
  const order = chapters.map((_, at) => `<itemref idref="c${at}"/>`);
  return archive({
    mimetype: 'application/epub+zip',
    'META-INF/container.xml': `${xml}<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>`,
    ...(encrypted && {
      'META-INF/encryption.xml': `${xml}<encryption><EncryptedData><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/><CipherData><CipherReference URI="OEBPS/text/c%200.xhtml"/></CipherData></EncryptedData></encryption>`,
    }),
    'OEBPS/book.opf': `${xml}<package><metadata xmlns:dc="d"><dc:title>A Book</dc:title><dc:creator>Ada</dc:creator><dc:language>en</dc:language></metadata><manifest>${items.join('')}</manifest><spine>${order.join('')}</spine></package>`,
    ...Object.fromEntries(
      chapters.map(([title, text], at) => [
        `OEBPS/text/c ${at}.xhtml`,
        `${xml}<html xmlns="h"><head><title>x</title></head><body><h1>${title}</h1><p>${text}</p></body></html>`,
      ]),
    ),
  });
}

/** A PDF file (ISO 32000-1) with lines of text; the first line of each page is set in larger type. */
export function pdf(pages: readonly (readonly string[])[], more = ''): Uint8Array {
  const objects: string[] = [];
  const add = (body: string): number => objects.push(body);
  add('<< /Type /Catalog /Pages 2 0 R >>');
  add('');
  const font = add('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>');
  const kids = pages.map((lines) => {
    const text = lines
      .map(
        (line, at) =>
          `/F1 ${at === 0 ? 18 : 10} Tf ${at === 0 ? 24 : 12} TL (${line.replace(/[()\\]/g, '\\$&')}) Tj T*`,
      )
      .join('\n');
    const stream = `BT 72 720 Td\n${text}\nET`;
    const content = add(`<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`);
    return add(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${content} 0 R /Resources << /Font << /F1 ${font} 0 R >> >> >>`,
    );
  });
  objects[1] = `<< /Type /Pages /Kids [${kids.map((kid) => `${kid} 0 R`).join(' ')}] /Count ${kids.length} >>`;
  const info = add('<< /Title (Annual report) /Author (Ada) /CreationDate (D:20240131120000Z) >>');
  let file = '%PDF-1.4\n';
  const offsets = objects.map((body, at) => {
    const offset = file.length;
    file += `${at + 1} 0 obj\n${body}\nendobj\n`;
    return offset;
  });
  const start = file.length;
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`;
  file += offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  file += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info ${info} 0 R ${more} >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(file, 'latin1');
}

/** A message with a text and an attachment. */
export function eml(subject: string, text: string): Uint8Array {
  return strToU8(
    [
      'From: Ada <ada@example.org>',
      'To: bob@example.org',
      `Subject: ${subject}`,
      'Date: Fri, 01 Mar 2024 10:00:00 +0000',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary="b"',
      '',
      '--b',
      'Content-Type: text/plain; charset=utf-8',
      '',
      text,
      '--b',
      'Content-Type: application/pdf; name="plan.pdf"',
      'Content-Disposition: attachment; filename="plan.pdf"',
      'Content-Transfer-Encoding: base64',
      '',
      'JVBERg==',
      '--b--',
      '',
    ].join('\r\n'),
  );
}

/** A notebook of Markdown and code cells. */
export function notebook(cells: readonly (readonly [type: 'markdown' | 'code', source: string])[]): Uint8Array {
  return strToU8(
    JSON.stringify({
      nbformat: 4,
      metadata: { language_info: { name: 'python' } },
      cells: cells.map(([cell_type, source]) => ({
        cell_type,
        source: source.split(/(?<=\n)/),
        outputs: [{ text: 'not indexed' }],
      })),
    }),
  );
}

/** A page with navigation around its content. */
export function html(content: string, wrap = 'main'): Uint8Array {
  return strToU8(
    `<!doctype html>\n<html lang="en">\n<head><title>Manual</title><meta name="author" content="Ada"></head>\n<body>\n` +
      `<nav><a href="/">Home</a> <a href="/x">Products</a></nav>\n<${wrap}>\n${content}\n</${wrap}>\n<footer>Imprint</footer>\n<script>var x = 1;</script>\n</body>\n</html>\n`,
  );
}
