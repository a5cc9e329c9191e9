import ts from 'typescript';

/** Follows imports and re-exports to the symbol of a declaration. */
function targetOf(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

function isHidden(node: ts.Node): boolean {
  if (ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)) {
    return true;
  }
  return ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal');
}

/** The names of types, classes and modules that a node refers to. */
function namesIn(node: ts.Node, found: ts.Node[] = []): ts.Node[] {
  if (isHidden(node)) return found;
  if (ts.isTypeReferenceNode(node)) found.push(node.typeName);
  if (ts.isExpressionWithTypeArguments(node)) found.push(node.expression);
  if (ts.isTypeQueryNode(node)) found.push(node.exprName);
  if (ts.isImportTypeNode(node) && node.qualifier !== undefined) found.push(node.qualifier);
  ts.forEachChild(node, (child) => {
    namesIn(child, found);
  });
  return found;
}

/** What a module exports. */
export function exportsOf(program: ts.Program, path: string): ts.Symbol[] {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(path) as ts.SourceFile);
  return module === undefined ? [] : checker.getExportsOfModule(module);
}

/**
 * The types of `folder` that a signature of an exported declaration names and no entry exports, as `NAME in EXPORT`. A type alias may
 * be made of parts in its own file that have no use outside of it.
 */
export function unexportedTypes(program: ts.Program, entries: readonly string[], folder: string): string[] {
  const checker = program.getTypeChecker();
  const symbols = entries.flatMap((entry) => exportsOf(program, entry));
  const exported = new Set(symbols.map((symbol) => targetOf(checker, symbol)));
  const missing = new Set<string>();
  for (const owner of exported) {
    for (const declaration of owner.declarations ?? []) {
      for (const name of namesIn(declaration)) {
        const found = checker.getSymbolAtLocation(name);
        const symbol = found && targetOf(checker, found);
        if (symbol === undefined || symbol.flags & ts.SymbolFlags.TypeParameter || exported.has(symbol)) continue;
        const file = symbol.declarations?.[0]?.getSourceFile();
        if (file === undefined || !file.fileName.startsWith(folder)) continue;
        if (ts.isTypeAliasDeclaration(declaration) && file === declaration.getSourceFile()) continue;
        missing.add(`${symbol.name} in ${owner.name}`);
      }
    }
  }
  return [...missing].sort();
}
