// Check: hovering over what a program may use shows what it is. Every export of the packages that programs import has a
// docstring in its .d.ts, and so has every public member of what is exported.
// usage: node scripts/checks/docstrings.mjs    (after a build)
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { publicPackages, root } from "../workspace.mjs";

/** The names without a docstring, such as `Mapper.get`, of a package whose `dist` is there. */
export function undocumented(folder) {
  const entry = join(folder, "dist", "index.d.ts");
  const program = ts.createProgram([entry], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2024,
    lib: ["lib.es2024.d.ts", "lib.esnext.disposable.d.ts", "lib.esnext.iterator.d.ts"],
    types: ["node"],
    skipLibCheck: true,
  });
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry));
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const missing = [symbol, ...membersOf(symbol, checker)].filter((each) => !isDocumented(each, checker));
    return missing.map((each) => (each === symbol ? exported.name : `${exported.name}.${each.name}`));
  });
}

/**
 * What a class, an interface, or a constant object of ours declares in public. A table whose values are texts tells
 * itself. A table of props is looked at where it is used: see scripts/reference.
 */
function membersOf(symbol, checker) {
  const members = [...(symbol.members?.values() ?? [])];
  const [declaration] = symbol.declarations ?? [];
  if (declaration !== undefined && ts.isVariableDeclaration(declaration) && declaration.type !== undefined) {
    const properties = checker.getTypeAtLocation(declaration).getProperties();
    const types = properties.map((each) => checker.getTypeOfSymbol(each));
    const isTable = types.every((type) => type.isStringLiteral() || type.symbol?.name === "Prop");
    if (ts.isTypeLiteralNode(declaration.type) && !isTable) members.push(...properties);
  }
  const kinds = ts.SymbolFlags.Property | ts.SymbolFlags.Method | ts.SymbolFlags.Accessor;
  return members.filter(({ flags, name }) => (flags & kinds) !== 0 && /^[a-z]\w*$/i.test(name));
}

/** Of several declarations (overloads, get and set), one with a docstring is enough. */
function isDocumented(symbol, checker) {
  return symbol.getDocumentationComment(checker).length > 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = ["@hemi/internal", "@hemi/hemi"].flatMap((name) => {
    const { path } = publicPackages().find(({ manifest }) => manifest.name === name) ?? { path: root };
    return undocumented(path).map((each) => `${name}: ${each} has no docstring`);
  });
  for (const problem of [...new Set(problems)]) console.log(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
