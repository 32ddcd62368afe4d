// Links a module in a process of its own: Node.js parses it and all that it imports, resolves every import and export, and evaluates nothing.

import { execFile } from "node:child_process";
import { pathToFileURL } from "node:url";
import { moduleFault, type ModuleFault } from "./module-fault.ts";

/** In ms. A graph that takes longer is taken for right: loading it will tell. */
const patience = 30_000;

/**
 * What is wrong with the module, or `undefined`. Works by the order of evaluation: all modules of a graph are linked before the first one is
 * evaluated, and the first one ends the process.
 */
export function linkModule(file: string): Promise<ModuleFault | undefined> {
  const args = [...resolvingFlags(process.execArgv), "--no-warnings", "--input-type=module", "--eval", program(file)];
  // What ends a process of an error tells its place on standard error.
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: patience }, (error, _stdout, stderr) => {
      const hasFailed = error !== null && typeof error.code === "number";
      resolve(hasFailed ? moduleFault(file, errorIn(stderr)) : undefined);
    });
  });
}

/** CommonJS is compiled when it is evaluated, so the loader's hook compiles it; packages are taken for right. */
function program(file: string): string {
  return `
    import { readFileSync } from "node:fs";
    import { registerHooks, stripTypeScriptTypes } from "node:module";
    import { fileURLToPath } from "node:url";
    import { compileFunction } from "node:vm";
    registerHooks({
      load(url, context, next) {
        const loaded = next(url, context);
        if (/^commonjs/.test(loaded.format) && url.startsWith("file:") && !url.includes("/node_modules/")) {
          const filename = fileURLToPath(url);
          const text = readFileSync(filename, "utf8").replace(/^#!.*/, "");
          const code = loaded.format === "commonjs" ? text : stripTypeScriptTypes(text, { sourceUrl: url });
          compileFunction(code, ["exports", "require", "module", "__filename", "__dirname"], { filename });
        }
        return loaded;
      },
    });
    const graph = 'import "data:text/javascript,process.exit(0)"; import ' + ${JSON.stringify(JSON.stringify(pathToFileURL(file).href))};
    await import("data:text/javascript," + encodeURIComponent(graph));`;
}

/** The flags of this process that say how imports are resolved. */
function resolvingFlags(flags: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const [index, flag] of flags.entries()) {
    if (!/^(?:-C|-r|--(?:conditions|import|require|preserve-symlinks))(?:=|$)/.test(flag)) continue;
    const next = flags[index + 1];
    kept.push(flag);
    if (!flag.includes("=") && !flag.startsWith("--preserve") && next !== undefined) kept.push(next);
  }
  return kept;
}

/** The error that a process printed when it ended: the place, an empty line, name and message, the stack. The runtime's own place may precede it. */
function errorIn(stderr: string): Error {
  const printed = stderr.replace(/\n\nNode\.js v[\s\S]*$/, "");
  const stack = printed.slice(Math.max(0, printed.search(/^(?:file:\/\/|\/|[A-Z]:\\).*:\d+$/m)));
  const [, name = "Error", code, message = ""] = /^(\w*Error)(?: \[(\w+)\])?: (.*)$/m.exec(stack) ?? [];
  const error = new Error(message);
  return Object.assign(error, { name, stack, ...(code !== undefined && { code }) });
}
