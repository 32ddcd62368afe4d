import { execFile } from "node:child_process";
import { cp, mkdtempDisposable, readFile } from "node:fs/promises";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bootFile, MemorySink, openErrorLog } from "@hemi/hemi";
import { expect, test } from "vitest";
import site from "./http3-site.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

test("the site is served by TCP, and says that it is served by HTTP/3", async () => {
  // A copy, because the checkout is not to be written to.
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-http3-site-"));
  await cp(join(here, "web"), join(folder.path, "web"), { recursive: true });
  const readme = await readFile(join(here, "README.md"), "utf8");
  const [, command = ""] = /^(openssl .*)$/m.exec(readme) ?? [];
  await promisify(execFile)("sh", ["-c", command], { cwd: folder.path });
  const ca = await readFile(join(folder.path, "cert.pem"));
  await using stage = await bootFile(join(here, "http3-site.conf"), {
    use: [site],
    baseDir: folder.path,
    env: { PORT: "0" },
    log: openErrorLog({ sink: new MemorySink() }),
  });
  await stage.start();
  const portOf = (server: string): string | undefined => {
    const { listensOn = [] } = (stage.find(server)?.part ?? {}) as { listensOn?: readonly string[] };
    return listensOn[0]?.split(":").at(-1);
  };
  const told = Promise.withResolvers<unknown>();
  const options = { host: "127.0.0.1", port: portOf("httpxServer.tcp"), servername: "localhost", ca, agent: false };
  get({ ...options, path: "/version" }, (response) => {
    response.resume();
    told.resolve(response.headers["alt-svc"]);
  }).on("error", told.reject);
  expect(await told.promise).toBe(`h3=":${portOf("http3Server.quic")}"; ma=86400`);
  expect((await stage.inject({ url: "https://localhost/" }, { into: "quic" })).text).toContain("<title>HTTP/3</title>");
});
