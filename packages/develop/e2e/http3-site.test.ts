// The example http3-site as a visitor with Chromium sees it: its page of WebTransport.

import { execFile } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { cp, mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { bootFile, isPack, MemorySink, openErrorLog } from "@hemi/hemi";
import { expect, test } from "vitest";
import { launchChromium } from "../src/chromium.ts";
import { peer } from "../src/peers.ts";

const example = fileURLToPath(new URL("../../../examples/http3-site", import.meta.url));

test("the page of WebTransport sends on a stream and in a datagram, shows what comes back, and closes", async (context) => {
  const chromium = peer("chromium", context);
  peer("openssl", context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-http3-site-"));
  await cp(join(example, "web"), join(folder.path, "web"), { recursive: true });
  const readme = await readFile(join(example, "README.md"), "utf8");
  const [, makeCertificate = ""] = /^(openssl .*)$/m.exec(readme) ?? [];
  await promisify(execFile)("sh", ["-c", makeCertificate], { cwd: folder.path });
  const { publicKey } = new X509Certificate(await readFile(join(folder.path, "cert.pem")));
  const pin = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
  const { default: site } = (await import(pathToFileURL(join(example, "http3-site.ts")).href)) as { default: unknown };
  if (!isPack(site)) throw new Error("the example exports no pack");
  await using stage = await bootFile(join(example, "http3-site.conf"), {
    use: [site],
    baseDir: folder.path,
    env: { PORT: "0" },
    log: openErrorLog({ sink: new MemorySink() }),
  });
  await stage.start();
  const { listensOn = [] } = (stage.find("http3Server.quic")?.part ?? {}) as { listensOn?: readonly string[] };
  const host = `localhost:${listensOn[0]?.split(":").at(-1)}`;
  const browser = await launchChromium(chromium, [
    `--origin-to-force-quic-on=${host}`,
    `--ignore-certificate-errors-spki-list=${pin}`,
    "--host-resolver-rules=MAP localhost 127.0.0.1",
  ]);
  try {
    const page = await browser.newPage();
    await page.goto(`https://${host}/transport.html`);
    await expect.poll(() => page.textContent("#state")).toBe("open");
    const lines = page.locator("#received li");
    await expect.poll(() => lines.allTextContents()).toEqual(["stream of the server: welcome"]);
    await page.getByRole("button", { name: "Send on a stream" }).click();
    await expect.poll(() => lines.allTextContents()).toContain("stream: hello");
    await page.getByLabel("Text").fill("hello again");
    // A datagram may get lost on a busy machine.
    const answered = async (): Promise<readonly string[]> => {
      await page.getByRole("button", { name: "Send in a datagram" }).click();
      return await lines.allTextContents();
    };
    await expect.poll(answered, { interval: 200 }).toContain("datagram: hello again");
    await page.getByRole("button", { name: "Close the session" }).click();
    await expect.poll(() => page.textContent("#state")).toBe("closed");
  } finally {
    await browser.close();
  }
}, 60_000);
