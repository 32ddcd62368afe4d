// What an editor shows of a configuration that is a TypeScript object: mistakes, docstrings, and what may be written.

import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const folder = join(import.meta.dirname, "../packages/develop");
const file = join(folder, "src/typed-tree.ts");

const text = `
  import { bootTree } from "@hemi/hemi";
  void bootTree({ sign: "stage", children: [
    { sign: "http1Backend", name: "api", props: { nodes: [{ address: ":9000" }] } },
    { sign: "webapp", name: "shop", props: { hostnames: ["*"], tlsCert: "a" }, children: [
      { sign: "rule", children: [{ sign: "static", props: { maxAge: "1d", immutable: true } }, { sign: "" }] },
      { sign: "rule", children: [{ sign: "httpProxy", props: { toBackend: "apis" } }] },
      { sign: "rule", children: [{ sign: "gziped" }, { sign: "static", props: { maxAges: 1 } }] },
    ] },
    { sign: "webapp", name: "blog", props: { webRoot: "/srv" } },
    { sign: "tcpsRouter", name: "all", props: { address: ":81" }, children: [{ sign: "case", children: [{ sign: "echo" }] }] },
    { sign: "httpxServer", name: "main", props: { address: ":80", webapps: ["shop", "blogs"] } },
  ] });
`;

const service = ts.createLanguageService(host());

function host(): ts.LanguageServiceHost {
  const { sys } = ts;
  const problems = { ...sys, onUnRecoverableConfigFileDiagnostic: () => undefined };
  const options = ts.getParsedCommandLineOfConfigFile(join(folder, "tsconfig.json"), {}, problems)?.options ?? {};
  const read = (name: string): string | undefined => (name === file ? text : sys.readFile(name));
  return {
    readDirectory: (...args) => sys.readDirectory(...args),
    directoryExists: (name) => sys.directoryExists(name),
    getDirectories: (name) => sys.getDirectories(name),
    getScriptFileNames: () => [file],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => ts.ScriptSnapshot.fromString(read(name) ?? ""),
    getCurrentDirectory: () => folder,
    getCompilationSettings: () => options,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (name) => name === file || sys.fileExists(name),
    readFile: read,
  };
}

// The compiler reads the whole engine first.
describe("a tree that is typed tells its writer", { timeout: 120_000 }, () => {
  test("what is wrong, in a sentence and at its place", () => {
    const shown = service.getSemanticDiagnostics(file).map(({ start = 0, length = 0, messageText }) => {
      const message = ts.flattenDiagnosticMessageText(messageText, "\n");
      const [, sentence] = /Mistake<"(.*)">'/.exec(message) ?? /(Property '.*' is missing)/.exec(message) ?? [];
      return [text.slice(start, start + length), sentence?.replaceAll("\\", "")];
    });
    expect(shown).toEqual([
      ["sign", 'there is no component "" in the packs in use'],
      ["toBackend", 'there is no backend "apis" in the tree'],
      ["sign", 'there is no component "gziped" in the packs in use'],
      ["maxAges", 'there is no property "maxAges"'],
      ["props", "Property 'hostnames' is missing"],
      ["sign", 'there is no component "echo" in the packs in use'],
      ['"blogs"', 'there is no webapp "blogs" in the tree'],
    ]);
  });

  test("what a prop means, as its docstring says", () => {
    const docs = (word: string): string =>
      ts.displayPartsToString(service.getQuickInfoAtPosition(file, text.indexOf(word))?.documentation);
    expect(docs("hostnames")).toContain("The most specific pattern wins.");
    expect(docs("maxAge")).toContain("How long a client may use its copy without asking");
  });

  test("which props and signs there are", () => {
    const offered = (behind: string): readonly string[] => {
      const at = text.indexOf(behind) + behind.length;
      return service.getCompletionsAtPosition(file, at, {})?.entries.map(({ name }) => name) ?? [];
    };
    expect(offered('maxAge: "1d", ')).toContain("fallback");
    expect(offered('maxAge: "1d", ')).not.toContain("tlsCert");
    expect(offered('}, { sign: "')).toEqual(expect.arrayContaining(["webapp", "static", "gzip"]));
  });
});
