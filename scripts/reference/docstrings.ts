// What the sources say in docstrings. They are found by their place in the syntax tree: schemas at run time have no
// comments.

import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";
import type { DeclaredComponent, Engine } from "./engine.ts";

export interface ComponentDocs {
  readonly text: string;
  readonly props: PropsDocs;
}

/** By the name of the prop. */
export type PropsDocs = ReadonlyMap<string, PropDocs>;

export interface PropDocs {
  readonly text: string;
  /** Of a record, or of the records in a list or dict. */
  readonly fields: PropsDocs;
}

/** An expression, with the file that its names are looked up in. */
interface Found<Node extends ts.Node = ts.Expression> {
  readonly node: Node;
  readonly file: ts.SourceFile;
}

export class Docstrings {
  /** What has no docstring, with its place. */
  readonly problems: string[] = [];
  readonly #root: string;
  readonly #files = new Map<string, ts.SourceFile>();
  readonly #components = new Map<string, ComponentDocs>();
  readonly #kinds = new Map<string, string>();
  readonly #propTypes = new Map<string, string>();
  readonly #variables = new Map<string, string>();
  readonly #operators = new Map<string, string>();

  constructor(root: string, engine: Engine) {
    this.#root = root;
    const folders = new Set(["packages/internal", ...engine.components.map(({ folder }) => folder)]);
    for (const folder of folders) {
      for (const file of globSync("src/**/*.ts", { cwd: join(root, folder) })) {
        if (/\.test\.ts$|(?:^|\/)testing\//.test(file)) continue;
        const path = join(root, folder, file);
        const text = readFileSync(path, "utf8");
        // Reading text is cheap, parsing it is not: the rest of the files declares nothing of this.
        if (/\bsign: "|\bkind\(\{|\bvariableTable<|Operators = \[|component\/props\//.test(text + path)) {
          this.#readFile(this.#file(path));
        }
      }
    }
  }

  component({ definition: { sign }, folder }: DeclaredComponent): ComponentDocs {
    const docs = this.#components.get(sign);
    if (docs !== undefined) return docs;
    this.#miss(`${folder}/src: the call of define… with { sign: "${sign}" }, as the value of a const`);
    return { text: "", props: new Map() };
  }

  prop(props: PropsDocs, name: string, label: string): PropDocs {
    const docs = props.get(name);
    if (docs !== undefined && docs.text !== "") return docs;
    this.#miss(`${label}: .${name}`);
    return { text: "", fields: docs?.fields ?? new Map<string, PropDocs>() };
  }

  kind(name: string): string {
    return this.#text(this.#kinds, name, "the kind");
  }

  /** Of `prop.size` and its like. */
  propType(name: string): string {
    return this.#text(this.#propTypes, name, "the type of props");
  }

  /** By its name without the dollar; a family's ends in `_`. */
  variable(name: string): string {
    return this.#text(this.#variables, name, "the variable");
  }

  operator(operator: string): string {
    return this.#text(this.#operators, operator, "the operator");
  }

  #text(texts: ReadonlyMap<string, string>, name: string, what: string): string {
    const text = texts.get(name) ?? "";
    if (text === "") this.#miss(`packages/internal/src: ${what} ${name}`);
    return text;
  }

  #miss(problem: string): void {
    if (!this.problems.includes(problem)) this.problems.push(problem);
  }

  #readFile(file: ts.SourceFile): void {
    for (const statement of file.statements) {
      if (ts.isFunctionDeclaration(statement) && isPropType(file, statement)) {
        const name = statement.name?.text ?? "";
        const text = docstring(statement, file);
        if (text !== "") this.#propTypes.set(name, text);
      }
      if (!ts.isVariableStatement(statement)) continue;
      for (const declaration of statement.declarationList.declarations) {
        this.#readDeclaration(declaration, docstring(statement, file), { statement, file });
      }
    }
  }

  #readDeclaration(
    { name, initializer }: ts.VariableDeclaration,
    text: string,
    { statement, file }: { readonly statement: ts.VariableStatement; readonly file: ts.SourceFile },
  ): void {
    if (initializer === undefined || !ts.isIdentifier(name)) return;
    if (isPropType(file, statement) && text !== "") this.#propTypes.set(name.text, text);
    const value = bare(initializer);
    if (name.text.endsWith("Operators") && ts.isArrayLiteralExpression(value)) {
      for (const element of value.elements) {
        if (ts.isStringLiteral(element)) this.#operators.set(element.text, docstring(element, file));
      }
    }
    if (!ts.isCallExpression(value)) return;
    const [first] = value.arguments;
    if (first === undefined || !ts.isObjectLiteralExpression(first)) return;
    const called = value.expression.getText(file);
    if (called === "variableTable") {
      for (const table of value.arguments) if (ts.isObjectLiteralExpression(table)) this.#readVariables(table, file);
      return;
    }
    const sign = stringIn(first, called === "kind" ? "name" : "sign");
    if (sign === undefined) return;
    if (called === "kind") return void this.#kinds.set(sign, text);
    if (!/^define[A-Z]/.test(called)) return;
    const where = `${relative(this.#root, file.fileName)}: ${sign}`;
    if (text === "") this.#miss(where);
    this.#components.set(sign, { text, props: this.#propsOf(valueOf(first, "props"), file, where) });
  }

  #readVariables(table: ts.ObjectLiteralExpression, file: ts.SourceFile): void {
    for (const property of table.properties) {
      if (property.name !== undefined) this.#variables.set(nameOf(property.name), docstring(property, file));
    }
  }

  /** `where` says whose they are, for problems. */
  #propsOf(schema: ts.Expression | undefined, file: ts.SourceFile, where: string): PropsDocs {
    const props = new Map<string, PropDocs>();
    if (schema === undefined) return props;
    const found = this.#resolve({ node: schema, file });
    if (found === undefined || !ts.isObjectLiteralExpression(found.node)) {
      this.#miss(`${where}: its props; a const that is an object literal, in this file or imported by its name`);
      return props;
    }
    for (const property of found.node.properties) {
      if (ts.isSpreadAssignment(property)) {
        for (const [name, docs] of this.#propsOf(property.expression, found.file, where)) props.set(name, docs);
        continue;
      }
      if (!ts.isPropertyAssignment(property) && !ts.isShorthandPropertyAssignment(property)) continue;
      const initializer = ts.isPropertyAssignment(property) ? property.initializer : property.name;
      const text = docstring(property, found.file) || this.#docstringOf({ node: initializer, file: found.file });
      props.set(nameOf(property.name), {
        text,
        fields: this.#fieldsOf({ node: initializer, file: found.file }, where),
      });
    }
    return props;
  }

  /** Of `prop.record({ … })`, and of what is a list or dict of such. */
  #fieldsOf(prop: Found, where: string): PropsDocs {
    const found = this.#resolve(prop);
    if (found === undefined || !ts.isCallExpression(found.node)) return new Map();
    const [first] = found.node.arguments;
    const called = found.node.expression.getText(found.file).replace(/^prop\./, "");
    if (first === undefined) return new Map();
    if (called === "record") return this.#propsOf(first, found.file, where);
    return called === "list" || called === "dict"
      ? this.#fieldsOf({ node: first, file: found.file }, where)
      : new Map<string, PropDocs>();
  }

  /** The docstring of a const that several schemas share. */
  #docstringOf({ node, file }: Found): string {
    if (!ts.isIdentifier(node)) return "";
    const declared = this.#declarationOf(node.text, file);
    const statement = declared?.node.parent.parent;
    return declared !== undefined && statement !== undefined ? docstring(statement, declared.file) : "";
  }

  /** What a name stands for; any other expression is itself. */
  #resolve({ node, file }: Found): Found | undefined {
    const expression = bare(node);
    if (!ts.isIdentifier(expression)) return { node: expression, file };
    const declared = this.#declarationOf(expression.text, file);
    if (declared?.node.initializer === undefined) return undefined;
    return this.#resolve({ node: declared.node.initializer, file: declared.file });
  }

  /** The const of that name, in the file or where it is imported from. */
  #declarationOf(name: string, file: ts.SourceFile): Found<ts.VariableDeclaration> | undefined {
    for (const statement of file.statements) {
      if (ts.isVariableStatement(statement)) {
        const node = statement.declarationList.declarations.find((declaration) => declares(declaration.name, name));
        if (node !== undefined) return { node, file };
      }
      if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) continue;
      const { moduleSpecifier } = statement;
      if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) continue;
      const imported = importedNames(statement).find((element) => element.name.text === name);
      const path = this.#pathOf(moduleSpecifier.text, file);
      if (!existsSync(path)) continue;
      if (exportsAll(statement)) {
        const found = this.#declarationOf(name, this.#file(path));
        if (found !== undefined) return found;
      }
      if (imported === undefined) continue;
      return this.#declarationOf((imported.propertyName ?? imported.name).text, this.#file(path));
    }
    return undefined;
  }

  /** A package of ours is its public entry. */
  #pathOf(specifier: string, file: ts.SourceFile): string {
    const [, ours] = /^@hemi\/([\w-]+)$/.exec(specifier) ?? [];
    if (ours !== undefined) return join(this.#root, "packages", ours, "src", "index.ts");
    return resolve(dirname(file.fileName), specifier);
  }

  #file(path: string): ts.SourceFile {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
      this.#files.set(path, file);
    }
    return file;
  }
}

/** `export * from "…"` */
function exportsAll(statement: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  return ts.isExportDeclaration(statement) && statement.exportClause === undefined;
}

/** What a statement imports, or exports from elsewhere, by names. */
function importedNames(
  statement: ts.ImportDeclaration | ts.ExportDeclaration,
): readonly (ts.ImportSpecifier | ts.ExportSpecifier)[] {
  const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : statement.exportClause;
  return bindings !== undefined && (ts.isNamedImports(bindings) || ts.isNamedExports(bindings))
    ? bindings.elements
    : [];
}

/** Also as the rest of an object that some names are taken out of: `const { port: _, ...others } = props`. */
function declares(declared: ts.BindingName, name: string): boolean {
  if (ts.isIdentifier(declared)) return declared.text === name;
  return ts.isObjectBindingPattern(declared) && declared.elements.some((element) => declares(element.name, name));
}

/** Whether a statement of this file exports what may be a type of props. */
function isPropType(file: ts.SourceFile, statement: ts.Statement): boolean {
  const isExported = ts.canHaveModifiers(statement)
    ? ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    : false;
  return isExported === true && file.fileName.includes("/component/props/");
}

/** Without `as const`, `satisfies` and parentheses. */
function bare(node: ts.Expression): ts.Expression {
  const isWrapped = ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isParenthesizedExpression(node);
  return isWrapped ? bare(node.expression) : node;
}

function valueOf(object: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  for (const property of object.properties) {
    if (property.name === undefined || nameOf(property.name) !== name) continue;
    if (ts.isPropertyAssignment(property)) return property.initializer;
    if (ts.isShorthandPropertyAssignment(property)) return property.name;
  }
  return undefined;
}

function stringIn(object: ts.ObjectLiteralExpression, name: string): string | undefined {
  const value = valueOf(object, name);
  return value !== undefined && ts.isStringLiteral(value) ? value.text : undefined;
}

function nameOf(name: ts.PropertyName): string {
  return ts.isIdentifier(name) || ts.isStringLiteral(name) ? name.text : name.getText();
}

/** The text of the docstring directly above a node: each paragraph on one line, code as it stands. */
function docstring(node: ts.Node, file: ts.SourceFile): string {
  // To the compiler, a comment on the line where the last thing ended trails that.
  const comments = [ts.getTrailingCommentRanges, ts.getLeadingCommentRanges].flatMap(
    (ranges) => ranges(file.text, node.pos) ?? [],
  );
  const last = comments.map(({ pos, end }) => file.text.slice(pos, end)).findLast((text) => text.startsWith("/**"));
  if (last === undefined) return "";
  const lines = last
    .slice(3, -2)
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd());
  return lines
    .join("\n")
    .trim()
    .split(/\n\n+/)
    .map((paragraph) =>
      /^ {4}/.test(paragraph)
        ? paragraph
        : paragraph
            .split("\n")
            .map((line) => line.trim())
            .join(" "),
    )
    .join("\n\n");
}
