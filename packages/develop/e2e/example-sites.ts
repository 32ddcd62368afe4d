// The examples, served as their users see them: each on a port of its own, under a hostname of its own.

import { execFile } from "node:child_process";
import { cp, mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { bootFile, isPack, MemorySink, openErrorLog, type Pack, type Stage } from "@hemi/hemi";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Hostname to configuration, with the module of a pack where it has one. */
const sites: Readonly<Record<string, { readonly config: string; readonly use?: string }>> = {
  "checkers.example": { config: "packages/develop/conf/checkers.conf" },
  "express-inside.example": { config: "examples/express-inside/express-inside.conf" },
  "hono-inside.example": { config: "examples/hono-inside/hono-inside.conf" },
  "static-site.example": { config: "examples/static-site/site.conf" },
  "typescript-app.example": { config: "examples/typescript-app/app.conf", use: "examples/typescript-app/app.ts" },
  "upload-form.example": {
    config: "examples/upload-form/upload-form.conf",
    use: "examples/upload-form/upload-form.ts",
  },
  "welcome.example": { config: "examples/welcome/welcome.conf", use: "examples/welcome/welcome.ts" },
};

export interface ExampleSites extends AsyncDisposable {
  /** By hostname. */
  readonly ports: ReadonlyMap<string, number>;
}

export async function serveExamples(): Promise<ExampleSites> {
  await using stack = new AsyncDisposableStack();
  const ports = new Map<string, number>();
  const tmps = stack.use(await mkdtempDisposable(join(tmpdir(), "hemi-examples-")));
  for (const [hostname, { config, use }] of Object.entries(sites)) {
    const stage = stack.use(await boot(config, use, tmps.path, stack, { PORT: "0" }));
    await stage.start();
    ports.set(hostname, portOf(stage));
  }
  const kept = stack.move();
  return { ports, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function boot(
  config: string,
  use: string | undefined,
  tmpsDir: string,
  stack: AsyncDisposableStack,
  env: Readonly<Record<string, string>>,
): Promise<Stage> {
  let baseDir = join(root, config, "..");
  if (config.includes("static-site")) {
    // Its compressed copies are laid beside its files: not in the checkout.
    const folder = stack.use(await mkdtempDisposable(join(tmpdir(), "hemi-static-site-")));
    await cp(join(baseDir, "web"), join(folder.path, "web"), { recursive: true });
    const { compressFolder } = (await load("examples/static-site/compress.ts")) as {
      compressFolder: (folder: string) => Promise<number>;
    };
    baseDir = folder.path;
    await compressFolder(baseDir);
  }
  const packs: Pack[] = [];
  const own = use === undefined ? undefined : (await load(use)).default;
  if (isPack(own)) packs.push(own);
  return await bootFile(join(root, config), {
    baseDir,
    tmpsDir,
    use: packs,
    env,
    log: openErrorLog({ sink: new MemorySink() }),
  });
}

async function load(file: string): Promise<{ readonly default?: unknown }> {
  return (await import(pathToFileURL(join(root, file)).href)) as { readonly default?: unknown };
}

/** The static site's files over HTTPS, with a certificate that nobody knows, made by the program `openssl`. */
export async function serveSecurely(openssl: string): Promise<AsyncDisposable & { readonly port: number }> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await mkdtempDisposable(join(tmpdir(), "hemi-secure-")));
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem"];
  const args = ["req", "-x509", ...key, "-out", "cert.pem", "-subj", "/CN=localhost"];
  await promisify(execFile)(openssl, args, { cwd: folder.path });
  const stage = stack.use(
    await bootFile(join(root, "packages/develop/conf/secure.conf"), {
      baseDir: folder.path,
      env: { PORT: "0", WEB_ROOT: join(root, "examples/static-site/web") },
      log: openErrorLog({ sink: new MemorySink() }),
    }),
  );
  await stage.start();
  const kept = stack.move();
  return { port: portOf(stage), [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function portOf(stage: Stage): number {
  const part = stage.find("httpxServer.main")?.part;
  const listensOn = part !== undefined && "listensOn" in part ? (part.listensOn as readonly string[]) : [];
  return Number(listensOn[0]?.split(":").at(-1));
}
