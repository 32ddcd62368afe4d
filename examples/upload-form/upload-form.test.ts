import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { bootFile, type Stage } from "@hemi/hemi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { peer } from "../../packages/develop/src/peers.ts";
import uploadForm from "./upload-form.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
let tmpsDir: string;
let stage: Stage;
let origin: string;

beforeAll(async () => {
  tmpsDir = await mkdtemp(join(tmpdir(), "hemi-upload-form-"));
  const options = { baseDir: here, tmpsDir, use: [uploadForm], env: { PORT: "0" } };
  stage = await bootFile(`${here}upload-form.conf`, options);
  await stage.start();
  const { listensOn } = stage.find("httpxServer.main")?.part as { listensOn: readonly string[] };
  origin = `http://127.0.0.1:${/\d+$/.exec(listensOn[0] ?? "")?.[0]}`;
});

afterAll(async () => {
  await stage.quit();
  await rm(tmpsDir, { recursive: true });
});

const photo = randomBytes(300_000);
const sha256 = createHash("sha256").update(photo).digest("hex");

/** What curl prints when it is run with these. */
async function run(curl: string, args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(curl, ["-sS", ...args, `${origin}/photos`])).stdout;
}

async function uploadsAreGone(): Promise<void> {
  while ((await readdir(join(tmpsDir, "uploads")).catch(() => [])).length > 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("the page with the form is there", async () => {
  expect((await stage.inject({ url: "/" })).text).toContain('enctype="multipart/form-data"');
});

test("curl sends a form with files", async (context) => {
  const curl = peer("curl", context);
  const file = join(tmpsDir, 'a "b".jpg');
  await writeFile(file, photo);
  const quoted = `@"${file.replaceAll('"', '\\"')}"`;
  const answer = await run(curl, ["-F", "title=Grüße", "-F", "tag=sea", "-F", "tag=a&b", "-F", `photo=${quoted}`]);
  const received = { fileName: 'a "b".jpg', storedAs: "a b.jpg", mediaType: "image/jpeg", size: photo.length, sha256 };
  expect(JSON.parse(answer)).toEqual({
    title: "Grüße",
    tags: ["sea", "a&b"],
    encoding: "multipart/form-data",
    files: [received],
  });
  await uploadsAreGone();
});

test("curl sends a path for a name, and gets a name", async (context) => {
  const file = join(tmpsDir, "x.bin");
  await writeFile(file, "x");
  const answer = await run(peer("curl", context), ["-F", "title=x", "-F", `photo=@${file};filename=../../x.sh`]);
  expect(JSON.parse(answer)).toMatchObject({ files: [{ fileName: "../../x.sh", storedAs: "x.sh" }] });
});

test("curl sends an urlencoded form", async (context) => {
  const answer = await run(peer("curl", context), ["--data-urlencode", "title=a=b & c", "-d", "tag=1"]);
  expect(JSON.parse(answer)).toMatchObject({ title: "a=b & c", tags: ["1"], files: [] });
});

test("curl sends a file as it is, in chunks too, and is told that it is no form", async (context) => {
  const curl = peer("curl", context);
  const file = join(tmpsDir, "plain.bin");
  await writeFile(file, photo);
  const status = ["-X", "POST", "-o", "/dev/null", "-w", "%{http_code}"];
  expect(await run(curl, [...status, "-T", file])).toBe("415");
  expect(await run(curl, [...status, "-T", file, "-H", "transfer-encoding: chunked"])).toBe("415");
});

test("curl sends an encoded form and is told to leave that", async (context) => {
  const file = join(tmpsDir, "form.gz");
  await writeFile(file, gzipSync("title=x"));
  const fields = ["-H", "content-type: application/x-www-form-urlencoded", "-H", "content-encoding: gzip"];
  const answer = await run(peer("curl", context), [...fields, "--data-binary", `@${file}`, "-i"]);
  expect(answer).toMatch(/^HTTP\/1\.1 415 /);
  expect(answer).toMatch(/^accept-encoding: identity\r$/m);
});

test("what fetch sends arrives, too", async () => {
  const form = new FormData();
  form.append("title", "by fetch");
  form.append("photo", new File([photo], "ä.png", { type: "image/png" }));
  form.append("photo", new File(["2"], "2.png", { type: "image/png" }));
  const answer = await fetch(`${origin}/photos`, { method: "POST", body: form });
  expect(await answer.json()).toMatchObject({
    title: "by fetch",
    files: [
      { fileName: "ä.png", size: photo.length, sha256 },
      { fileName: "2.png", size: 1 },
    ],
  });
  await uploadsAreGone();
});

test("a file that is too large is refused, and so are too many", async () => {
  const send = async (...files: readonly Blob[]) => {
    const form = new FormData();
    form.append("title", "x");
    for (const file of files) form.append("photo", file);
    return (await fetch(`${origin}/photos`, { method: "POST", body: form })).status;
  };
  expect(await send(new Blob([Buffer.alloc(9_000_000)]))).toBe(413);
  expect(await send(...Array.from({ length: 6 }, () => new Blob(["x"])))).toBe(413);
  expect(await send()).toBe(200);
  await uploadsAreGone();
});
