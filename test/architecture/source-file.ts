import ts from 'typescript';

/** One arrow out of a source file: what it names, and whether anything of it is left at run time. */
export interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
  /** `import()` rather than an import statement: loaded when it is reached. */
  readonly lazy: boolean;
  /** Names taken from the module; `*` stands for all of it. */
  readonly names: readonly string[];
}

/** The facts about a TypeScript file that the rules use. */
export interface SourceFile {
  /** Relative to the folder of the package, with forward slashes. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** `console.log`, `process.env`, `process.exit`: each property read of a plain name. */
  readonly properties: readonly string[];
  readonly strings: readonly string[];
}

function namesOf(clause: ts.ImportClause | undefined): string[] {
  if (clause === undefined) return [];
  const names = clause.name === undefined ? [] : ['*'];
  const bindings = clause.namedBindings;
  if (bindings === undefined) return names;
  if (ts.isNamespaceImport(bindings)) return [...names, '*'];
  return [...names, ...bindings.elements.map((element) => (element.propertyName ?? element.name).text)];
}

/** Type-only by its keyword, or because each of its names is. */
function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  return (
    clause.name === undefined &&
    bindings !== undefined &&
    ts.isNamedImports(bindings) &&
    bindings.elements.length > 0 &&
    bindings.elements.every((element) => element.isTypeOnly)
  );
}

function literal(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}

/** Reads a file with TypeScript's own parser, so that comments and strings do not look like code. */
export function parseSource(path: string, text: string): SourceFile {
  const imports: Import[] = [];
  const properties: string[] = [];
  const strings: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const target = literal(node.moduleSpecifier) ?? '';
      const clause = node.importClause;
      imports.push({ target, typeOnly: isTypeOnly(clause), lazy: false, names: namesOf(clause) });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      imports.push({
        target: literal(node.moduleSpecifier) ?? '',
        typeOnly: node.isTypeOnly,
        lazy: false,
        names: ['*'],
      });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      imports.push({ target: literal(node.argument.literal) ?? '', typeOnly: true, lazy: false, names: ['*'] });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      imports.push({ target: literal(node.arguments[0]) ?? '', typeOnly: false, lazy: true, names: ['*'] });
    } else if (ts.isNewExpression(node) && node.expression.getText() === 'URL') {
      // How a worker is named: new URL('./worker.js', import.meta.url)
      const target = literal(node.arguments?.[0]);
      if (target !== undefined && /^\.{1,2}\/.*\.[jt]s$/.test(target)) {
        imports.push({ target, typeOnly: false, lazy: true, names: ['*'] });
      }
    } else if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      properties.push(`${node.expression.text}.${node.name.text}`);
    } else if (ts.isStringLiteralLike(node)) {
      strings.push(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return { path, lines: text.split('\n').length - 1, imports, properties, strings };
}
