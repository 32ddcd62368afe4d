// Links a module in a separate process: Node.js parses the module and all its imports and resolves every import and
// export, but evaluates nothing.

import { execFile } from "node:child_process";
import { pathToFileURL } from "node:url";
import { moduleFault, type ModuleFault } from "./module-fault.ts";

/** In milliseconds. If linking takes longer, the module is considered valid; loading it will find any error. */
const patience = 30_000;

/**
 * Returns what is wrong with the module, or `undefined`. This works because all modules of a graph are linked before
 * the first one is evaluated. The first one ends the process.
 */
export function linkModule(file: string): Promise<ModuleFault | undefined> {
  const args = [...resolvingFlags(process.execArgv), "--no-warnings", "--input-type=module", "--eval", program(file)];
  // An uncaught error is printed with its position on standard error.
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: patience }, (error, _stdout, stderr) => {
      const hasFailed = error !== null && typeof error.code === "number";
      resolve(hasFailed ? moduleFault(file, errorIn(stderr)) : undefined);
    });
  });
}

/** CommonJS is compiled only when it is evaluated, so the loader's hook compiles it. Packages are considered valid. */
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

/** The flags of this process that affect how imports are resolved. */
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

/**
 * The error that a process printed when it ended: position, an empty line, name and message, stack. A position inside
 * the runtime may come first.
 */
function errorIn(stderr: string): Error {
  const printed = stderr.replace(/\n\nNode\.js v[\s\S]*$/, "");
  const stack = printed.slice(Math.max(0, printed.search(/^(?:file:\/\/|\/|[A-Z]:\\).*:\d+$/m)));
  const [, name = "Error", code, message = ""] = /^(\w*Error)(?: \[(\w+)\])?: (.*)$/m.exec(stack) ?? [];
  const error = new Error(message);
  return Object.assign(error, { name, stack, ...(code !== undefined && { code }) });
}
