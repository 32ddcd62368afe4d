import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { makeUploadName } from "./form/upload-name.ts";
import { decodingFilter } from "./content-decoding.ts";
import type { Form } from "./form/form.ts";
import { bodies, multipart, type WrittenPart } from "../../testing/multipart-body.ts";
import type { HandletPart } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import { request } from "../../testing/raw-client.ts";
import { serve, type ServeOptions, type TestServer } from "../../testing/serve.ts";

/** Says what came. */
async function describeForm(form: Form): Promise<unknown> {
  const files = form.files.map(async (file) => {
    const { fieldName, fileName, safeName, mediaType, size } = file;
    return { fieldName, fileName, safeName, mediaType, size, text: Buffer.from(await file.bytes()).toString("utf8") };
  });
  return { fields: form.entries(), files: await Promise.all(files) };
}

const tell: HandletPart["handle"] = async (req, resp) => {
  resp.sendJSON(await describeForm(await req.content.form()));
  return true;
};

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hemi-forms-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

interface FormServer extends TestServer {
  readonly uploadsDir: string;
  uploads(): Promise<string[]>;
}

async function serveForms(
  handle: HandletPart["handle"] = tell,
  { webapp = {}, ...options }: ServeOptions = {},
): Promise<FormServer> {
  const uploadsDir = join(await temporaryFolder(), "tmps", "uploads");
  const server = await serve({ handlets: [handle], ...options, webapp: { uploadsDir, ...webapp } });
  return {
    ...server,
    uploadsDir,
    uploads: () => readdir(uploadsDir).catch(() => []),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function post(parts: readonly WrittenPart[], fields: Readonly<Record<string, string>> = {}): string {
  return request("POST /", { "content-type": "multipart/form-data; boundary=xX", ...fields }, multipart("xX", parts));
}

const file = (content: string, fileName = "x.txt"): WrittenPart => ({ name: "f", fileName, content });

async function gather<T>(source: AsyncIterable<T> | undefined): Promise<T[]> {
  const pieces: T[] = [];
  if (source !== undefined) for await (const piece of source) pieces.push(piece);
  return pieces;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

describe("a form is read", () => {
  test("when it is urlencoded", async () => {
    await using server = await serveForms();
    const fields = { "content-type": "application/x-www-form-urlencoded; charset=iso-8859-1" };
    const { status, text } = await server.ask(request("POST /", fields, "a=1&b=x+y&a=%C3%A4"));
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({ fields: [["a", "1"], ["b", "x y"], ["a", "ä"]], files: [] }); // prettier-ignore
  });

  test.each(Object.entries(bodies))("when %s sends it", async (_client, { boundary, content, parts }) => {
    await using server = await serveForms(async (req, resp) => {
      const form = await req.content.form();
      const files = form.files.map(async (file) => {
        const text = Buffer.from(await file.bytes()).toString("latin1");
        return `${file.fieldName}|${file.fileName}|${file.mediaType}|${text}`;
      });
      resp.sendJSON([...form.entries().map(([name, value]) => `${name}=${value}`), ...(await Promise.all(files))]);
      return true;
    });
    const type = `multipart/form-data; boundary="${boundary}"`;
    const { text } = await server.ask(request("POST /", { "content-type": type }, content));
    expect(JSON.parse(text)).toEqual(parts.filter((part) => !part.startsWith("none|")));
  });

  test("when its content is encoded and decodeContent says so", async () => {
    await using server = await serveForms(tell, { webapp: { decodeContent: true } });
    const content = gzipSync(multipart("xX", [file("hello")])).toString("latin1");
    const fields = { "content-type": "multipart/form-data; boundary=xX", "content-encoding": "gzip" };
    expect((await server.ask(request("POST /", fields, content))).text).toContain('"text":"hello"');
  });

  test("part by part, with no file on the disk", async () => {
    await using server = await serveForms(async (req, resp) => {
      const sizes: Record<string, number> = {};
      for await (const part of req.content.formParts()) {
        if (part.kind === "field") sizes[part.name] = part.value.length;
        else for await (const piece of part) sizes[part.name] = (sizes[part.name] ?? 0) + piece.length;
      }
      resp.sendJSON({ sizes, uploads: await server.uploads() });
      return true;
    });
    const { text } = await server.ask(post([{ name: "a", content: "abc" }, file("x".repeat(200_000))]));
    expect(JSON.parse(text)).toEqual({ sizes: { a: 3, f: 200_000 }, uploads: [] });
  });

  test("part by part, when it is urlencoded", async () => {
    await using server = await serveForms(async (req, resp) => {
      resp.sendJSON(await gather(req.content.formParts()));
      return true;
    });
    const fields = { "content-type": "application/x-www-form-urlencoded" };
    const { text } = await server.ask(request("POST /", fields, "a=1"));
    expect(JSON.parse(text)).toEqual([{ kind: "field", name: "a", value: "1" }]);
  });
});

test("after a form in chunks with an epilogue, the connection serves the next request", async () => {
  await using server = await serveForms();
  await using client = await server.connect();
  const content = multipart("xX", [{ name: "a", content: "1" }]) + "epilogue";
  const type = "content-type: multipart/form-data; boundary=xX";
  const head = `POST / HTTP/1.1\r\nhost: a\r\n${type}\r\ntransfer-encoding: chunked\r\n\r\n`;
  const chunked = `${head}${content.length.toString(16)}\r\n${content}\r\n0\r\n\r\n`;
  const answers = await client.send(chunked + chunked).responses(2);
  expect(answers.map(({ status, headers }) => [status, headers["connection"]])).toEqual([
    [200, undefined],
    [200, undefined],
  ]);
});

describe("what is refused", () => {
  const type = (value: string) => ({ "content-type": value });
  test.each<[what: string, status: number, bytes: string]>([
    ["a content that is no form", 415, request("POST /", type("application/json"), "{}")],
    ["a content without a type", 415, request("POST /", {}, "a=1")],
    ["no content at all", 415, request("GET /")],
    ["a multipart form without a boundary", 400, request("POST /", type("multipart/form-data"), "--x--")],
    [
      "a boundary that is too long",
      400,
      request("POST /", type(`multipart/form-data; boundary=${"x".repeat(71)}`), "-"),
    ],
    ["a multipart form without an end", 400, request("POST /", type("multipart/form-data; boundary=x"), "--x\r\n")],
    [
      "a multipart form of no bytes",
      400,
      request("POST /", { ...type("multipart/form-data; boundary=x"), "content-length": "0" }),
    ],
    [
      "a file without an end",
      400,
      request("POST /", type("multipart/form-data; boundary=xX"), multipart("xX", [file("x")]).slice(0, -9)),
    ],
    ["encoded content", 415, post([file("x")], { "content-encoding": "gzip" })],
  ])("%s: %i", async (_what, status, bytes) => {
    await using server = await serveForms();
    expect((await server.ask(bytes)).status).toBe(status);
    await until(async () => (await server.uploads()).length === 0);
  });

  test.each<[prop: string, limit: number, bytes: string]>([
    ["maxContentSize", 100, post([file("x".repeat(200))])],
    ["maxUploadContentSize", 100, post([file("x".repeat(200))])],
    ["maxUploadFileSize", 100, post([file("x".repeat(200))])],
    ["maxFormFiles", 1, post([file("x"), file("y")])],
    ["maxFormFields", 1, post([{ name: "a", content: "" }, { name: "b", content: "" }])], // prettier-ignore
    ["maxFormValueSize", 3, post([{ name: "a", content: "1234" }])],
    ["maxFormNameSize", 3, post([{ name: "abcd", content: "1" }])],
    ["maxPartHeadSize", 128, post([file("x", "n".repeat(200))])],
    ["maxMemoryContentSize", 5, post([{ name: "a", content: "123456" }])],
    ["maxMemoryContentSize", 5, request("POST /", type("application/x-www-form-urlencoded"), "a=1234567")],
    ["maxContentSize", 5, request("POST /", type("application/x-www-form-urlencoded"), "a=1234567")],
  ])("what passes %s of %i: 413, with a line in the log", async (prop, limit, bytes) => {
    await using server = await serveForms(tell, { webapp: { [prop]: limit } });
    expect((await server.ask(bytes)).status).toBe(413);
    expect(server.log.join("\n")).toContain(prop);
    await until(async () => (await server.uploads()).length === 0);
  });

  test("files may be more than maxContentSize where maxUploadContentSize allows it, and nothing else", async () => {
    const webapp = { maxContentSize: 1000, maxUploadContentSize: 100_000 };
    await using server = await serveForms(tell, { webapp });
    expect((await server.ask(post([file("x".repeat(5000))]))).status).toBe(200);
    const fields = { "content-type": "application/x-www-form-urlencoded" };
    expect((await server.ask(request("POST /", fields, "a=" + "x".repeat(2000)))).status).toBe(413);
  });
});

describe("uploads", () => {
  test("are kept in files of nobody else, under names of nobody's making", async () => {
    const names: string[] = [];
    await using server = await serveForms(async (req, resp) => {
      const { files } = await req.content.form();
      for (const { path } of files) {
        names.push(path);
        expect((await stat(path)).mode & 0o777).toBe(0o600);
      }
      expect((await stat(server.uploadsDir)).mode & 0o777).toBe(0o700);
      resp.send("fine");
      return true;
    });
    const evil = ["../../x", "/etc/passwd", "a\\..\\..\\x", "C:\\x", "x%2F..%2Fy"];
    expect((await server.ask(post(evil.map((name) => file("x", name))))).text).toBe("fine");
    expect(names).toHaveLength(evil.length);
    for (const name of names) expect(name).toMatch(new RegExp(`^${server.uploadsDir}/upload-[\\w-]+$`));
    expect(new Set(names).size).toBe(evil.length);
  });

  const gone = (server: FormServer) => until(async () => (await server.uploads()).length === 0);

  test("are removed when the request has been answered, but for those that were moved", async () => {
    const folder = await temporaryFolder();
    await using server = await serveForms(async (req, resp) => {
      const form = await req.content.form();
      expect(await server.uploads()).toHaveLength(2);
      const moved = form.file("f");
      await moved?.moveTo(join(folder, moved.safeName));
      resp.send(moved?.path);
      return true;
    });
    const { text } = await server.ask(post([file("kept", "../a.txt"), { ...file("gone"), name: "g" }]));
    expect(text).toBe(join(folder, "a.txt"));
    await gone(server);
    expect(await readFile(join(folder, "a.txt"), "utf8")).toBe("kept");
    expect((await stat(join(folder, "a.txt"))).mode & 0o777).toBe(0o600);
  });

  test("never replace a file by being moved", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "a.txt"), "first");
    await using server = await serveForms(async (req, resp) => {
      const upload = (await req.content.form()).file("f");
      await expect(upload?.moveTo(join(folder, "a.txt"))).rejects.toMatchObject({ code: "HEMI_FILE" });
      await expect(upload?.moveTo("a.txt")).rejects.toMatchObject({ code: "HEMI_USAGE" });
      await upload?.moveTo(join(folder, "b.txt"));
      await expect(upload?.moveTo(join(folder, "c.txt"))).rejects.toMatchObject({ code: "HEMI_USAGE" });
      resp.send(Buffer.concat(await gather(upload?.stream())));
      return true;
    });
    expect((await server.ask(post([file("second")]))).text).toBe("second");
    expect(await readFile(join(folder, "a.txt"), "utf8")).toBe("first");
  });

  test.skipIf(!existsSync("/dev/shm"))("are copied where they cannot be moved to another file system", async () => {
    const folder = await mkdtemp("/dev/shm/hemi-forms-");
    onTestFinished(() => rm(folder, { recursive: true }));
    await using server = await serveForms(async (req, resp) => {
      const upload = (await req.content.form()).file("f");
      await upload?.moveTo(join(folder, "a.txt"));
      resp.send(await readFile(join(folder, "a.txt")));
      return true;
    });
    expect((await server.ask(post([file("far away")]))).text).toBe("far away");
    expect((await stat(join(folder, "a.txt"))).mode & 0o777).toBe(0o600);
  });

  test("are removed when the handlet throws", async () => {
    await using server = await serveForms(async (req) => {
      await req.content.form();
      throw new Error("on purpose");
    });
    expect((await server.ask(post([file("x")]))).status).toBe(500);
    await gone(server);
  });

  test("are removed when the handlet is too late", async () => {
    const handled = Promise.withResolvers<void>();
    await using server = await serveForms(
      async (req, resp) => {
        await req.content.form();
        await handled.promise;
        resp.send();
        return true;
      },
      { settings: { handleTimeout: 50 } },
    );
    expect((await server.ask(post([file("x")]))).status).toBe(503);
    await gone(server);
    handled.resolve();
  });

  test("are removed when the client leaves in the middle of one", async () => {
    let reading: Promise<unknown> = Promise.resolve();
    await using server = await serveForms(async (req, resp) => {
      reading = req.content.form();
      await reading;
      resp.send();
      return true;
    });
    const client = await server.connect();
    client.send(post([file("x".repeat(100_000))]).slice(0, 50_000));
    await until(async () => (await server.uploads()).length === 1);
    client.reset();
    await gone(server);
    await expect(reading).rejects.toMatchObject({ code: "HEMI_PEER_GONE" });
  });

  test("are removed when the client has sent one and leaves while it is worked on", async () => {
    const isGone = Promise.withResolvers<void>();
    await using server = await serveForms(async (req) => {
      await req.content.form();
      req.onAbort(() => isGone.resolve());
      await isGone.promise;
      return true;
    });
    const client = await server.connect();
    client.send(post([file("x")]));
    await until(async () => (await server.uploads()).length === 1);
    client.reset();
    await gone(server);
  });

  test("are removed when the content comes too slowly", async () => {
    await using server = await serveForms(tell, { settings: { contentTimeout: 50 } });
    await using client = await server.connect();
    client.send(post([file("x".repeat(100_000))]).slice(0, 50_000));
    expect((await client.response()).status).toBe(408);
    await gone(server);
  });

  test("are removed when the stage ends", async () => {
    const server = await serveForms(async (req) => {
      await req.content.form();
      return await new Promise<boolean>(() => {});
    });
    const client = await server.connect();
    client.send(post([file("x")]));
    await until(async () => (await server.uploads()).length === 1);
    await server.stage.quit(1);
    expect(await server.uploads()).toEqual([]);
    await server[Symbol.asyncDispose]();
  });

  test("leave no file open", async (context) => {
    if (!existsSync("/proc/self/fd")) context.skip("needs /proc");
    const openUploads = async (server: FormServer) => {
      const links = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
      return (await Promise.all(links)).filter((link) => link.startsWith(server.uploadsDir));
    };
    await using server = await serveForms();
    await server.ask(post([file("x"), file("y")]));
    const client = await server.connect();
    client.send(post([file("x".repeat(100_000))]).slice(0, 50_000));
    await until(async () => (await openUploads(server)).length === 1);
    client.reset();
    await until(async () => (await openUploads(server)).length === 0);
  });

  test("of processes that are no more are removed at the start, and no others", async () => {
    const uploadsDir = join(await temporaryFolder(), "uploads");
    await mkdir(uploadsDir);
    const script = `
      import { makeUploadName } from ${JSON.stringify(new URL("./form/upload-name.ts", import.meta.url).href)};
      console.log(makeUploadName());
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
    const [name] = (await once(child.stdout, "data")) as [Buffer];
    await once(child, "exit");
    const leftOver = name.toString().trim();
    const others = [
      makeUploadName(),
      leftOver.replace(/-\d+-/, `-${process.ppid}-`),
      leftOver.replace(/^upload-........-/, "upload-00000000-"),
      "report.pdf",
      `${leftOver}.bak`,
    ];
    for (const each of [leftOver, ...others]) await writeFile(join(uploadsDir, each), "x");
    await using server = await serve({ handlets: [tell], webapp: { uploadsDir } });
    expect((await readdir(uploadsDir)).sort()).toEqual([...others].sort());
    expect(server.log.join("\n")).toContain("removed uploads that a killed process had left");
  });

  test("that the disk has no room for give a 507, and the log names the folder", async () => {
    const uploadsDir = join(await temporaryFolder(), "uploads");
    // The shell holds files to 64 KiB: the system then says no as it does when a disk is full.
    const program = join(import.meta.dirname, "../../testing/upload-to-full-disk.ts");
    const command = `ulimit -f 128; exec "$0" --conditions=@hemi/source ${program} ${uploadsDir}`;
    const child = spawn("/bin/sh", ["-c", command, process.execPath], { stdio: ["ignore", "pipe", "inherit"] });
    const told = (await gather(child.stdout as AsyncIterable<Buffer>)).join("");
    expect(told).toContain("status 507");
    expect(told).toContain(`an upload cannot be kept in ${uploadsDir}: EFBIG`);
    expect(await readdir(uploadsDir)).toEqual([]);
  });

  test("that cannot be kept give a 500, and the log names the folder", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file"), "");
    const uploadsDir = join(folder, "file", "uploads");
    await using server = await serveForms(tell, { webapp: { uploadsDir } });
    expect((await server.ask(post([file("x")]))).status).toBe(500);
    expect(server.log.join("\n")).toContain(`an upload cannot be kept in ${uploadsDir}`);
  });
});

describe("content with a content-encoding", () => {
  const text = "hello, world! ".repeat(1000);
  const encoded = request("POST /", { "content-encoding": "gzip" }, gzipSync(text).toString("latin1"));
  const reading =
    (read: (req: Request) => Promise<string | Uint8Array>): HandletPart["handle"] =>
    async (req, resp) => {
      resp.send(await read(req));
      return true;
    };

  test("is refused by who asks for bytes, and told what would do", async () => {
    await using server = await serve(reading((req) => req.content.text()));
    const { status, headers } = await server.ask(encoded);
    expect([status, headers["accept-encoding"]]).toEqual([415, "identity"]);
  });

  test("is decoded where decodeContent says so", async () => {
    await using server = await serve({
      handlets: [reading((req) => req.content.text())],
      webapp: { decodeContent: true },
    });
    expect((await server.ask(encoded)).text).toBe(text);
    const unknown = await server.ask(request("POST /", { "content-encoding": "compress" }, "x"));
    expect([unknown.status, unknown.headers["accept-encoding"]]).toEqual([415, "gzip, deflate, br, zstd"]);
    expect((await server.ask(request("POST /", { "content-encoding": "gzip" }, "not gzip"))).status).toBe(400);
  });

  test("counts by what it decodes to", async () => {
    const webapp = { decodeContent: true, maxContentSize: 10_000 };
    await using server = await serve({ handlets: [reading((req) => req.content.text())], webapp });
    expect((await server.ask(encoded)).status).toBe(413);
  });

  test("is stopped as a bomb by maxContentRatio", async () => {
    const webapp = { decodeContent: true, maxContentSize: "1G", maxMemoryContentSize: "1G" };
    await using server = await serve({ handlets: [reading((req) => req.content.text())], webapp });
    const bomb = gzipSync(Buffer.alloc(20_000_000)).toString("latin1");
    expect((await server.ask(request("POST /", { "content-encoding": "gzip" }, bomb))).status).toBe(413);
    expect(server.log.join("\n")).toContain("maxContentRatio");
  });

  test("comes as it is to who iterates, and to who hands it on", async () => {
    for (const read of [(req: Request) => gather(req.content), (req: Request) => gather(req.content.raw())]) {
      const handle = reading(async (req) => Buffer.concat(await read(req)));
      await using server = await serve({ handlets: [handle], webapp: { decodeContent: true } });
      expect((await server.ask(encoded)).content).toEqual(gzipSync(text));
    }
  });
});

test("raw content is not what revisers make of it", async () => {
  const upperCase = {
    rank: 5,
    reviseRequest: () => ({
      push: (piece: Uint8Array, next: (piece: Uint8Array) => void | Promise<void>) =>
        next(Buffer.from(Buffer.from(piece).toString().toUpperCase())),
    }),
  };
  const read = (how: (req: Request) => AsyncIterable<Uint8Array>): HandletPart["handle"] =>
    async function handle(req, resp) {
      resp.send(Buffer.concat(await gather(how(req))));
      return true;
    };
  await using raw = await serve({ handlets: [read((req) => req.content.raw())], revisers: [upperCase] });
  await using revised = await serve({ handlets: [read((req) => req.content)], revisers: [upperCase] });
  const bytes = request("POST /", {}, "hello");
  expect([(await raw.ask(bytes)).text, (await revised.ask(bytes)).text]).toEqual(["hello", "HELLO"]);
});

test("a reviser that decodes says so, and nobody decodes again", async () => {
  const reviser = {
    rank: 5,
    reviseRequest(req: Request) {
      req.content.coding = "";
      return decodingFilter("gzip");
    },
  };
  await using server = await serve({
    handlets: [async (req, resp) => (resp.send(await req.content.text()), true)],
    revisers: [reviser],
  });
  const content = gzipSync("hello").toString("latin1");
  expect((await server.ask(request("POST /", { "content-encoding": "gzip" }, content))).text).toBe("hello");
});
