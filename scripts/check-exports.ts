/** Fails when a function or value is exported from a file and used in no other. Types may be, as they name what functions give. */
import { relative } from 'node:path';
import ts from 'typescript';

/** drizzle-kit and the tools that are configured read these by themselves. */
const READ_BY_TOOLS = /^(src\/datasets\/|src\/warehouse\/schema\.ts$|\w+\.config\.ts$)/;

const config = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path));
const { fileNames, options } = ts.parseJsonConfigFileContent(config.config, ts.sys, '.');
const program = ts.createProgram(fileNames, options);
const checker = program.getTypeChecker();
const files = program.getSourceFiles().filter(({ fileName }) => !fileName.includes('node_modules'));

const users = new Map<ts.Symbol, Set<ts.SourceFile>>();
for (const file of files) visit(file, file);
const unused = files.flatMap((file) => {
  const path = relative('.', file.fileName);
  const module = checker.getSymbolAtLocation(file);
  if (module === undefined || READ_BY_TOOLS.test(path)) return [];
  return checker
    .getExportsOfModule(module)
    .filter((symbol) => isValue(symbol) && [...(users.get(declared(symbol)) ?? [])].every((user) => user === file))
    .map(({ name }) => `${path}: ${name}`);
});
for (const line of unused) console.error(line);
if (unused.length > 0) {
  console.error('These are exported and used in no other file.');
  process.exitCode = 1;
}

function visit(node: ts.Node, file: ts.SourceFile): void {
  const symbol = ts.isIdentifier(node) ? symbolOf(node) : undefined;
  if (symbol !== undefined) {
    const known = users.get(declared(symbol)) ?? new Set();
    users.set(declared(symbol), known.add(file));
  }
  ts.forEachChild(node, (child) => visit(child, file));
}

/** What a name means, also in `{ name }` and in `const { name } = await import(…)`. */
function symbolOf(node: ts.Identifier): ts.Symbol | undefined {
  const { parent } = node;
  if (ts.isShorthandPropertyAssignment(parent)) return checker.getShorthandAssignmentValueSymbol(parent);
  if (ts.isBindingElement(parent)) return checker.getTypeAtLocation(parent.parent).getProperty(node.text);
  return checker.getSymbolAtLocation(node);
}

function declared(symbol: ts.Symbol): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
}

function isValue(symbol: ts.Symbol): boolean {
  return (declared(symbol).flags & ts.SymbolFlags.Value) !== 0;
}
