import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FormLimits } from "./form-part.ts";
import { readMultipart } from "./multipart.ts";
import { bodies, multipart } from "../../../testing/multipart-body.ts";

const limits: FormLimits = {
  maxMemoryContentSize: 100_000,
  maxUploadFileSize: undefined,
  maxFormFiles: 20,
  maxFormFields: 100,
  maxFormNameSize: 256,
  maxFormValueSize: 100_000,
  maxPartHeadSize: 4096,
};

async function* cut(content: string, ...at: number[]): AsyncGenerator<Buffer, void, void> {
  const bytes = Buffer.from(content, "latin1");
  let from = 0;
  for (const to of [...at, bytes.length]) {
    // A socket's pieces come later than they are asked for.
    await new Promise((resolve) => setImmediate(resolve));
    yield bytes.subarray(from, to);
    from = to;
  }
}

/** The parts with their content, files as `name|fileName|mediaType|content`. */
async function partsOf(pieces: AsyncIterable<Uint8Array>, boundary: string, own: Partial<FormLimits> = {}) {
  const parts: string[] = [];
  for await (const part of readMultipart(pieces, boundary, { ...limits, ...own })) {
    if (part.kind === "field") parts.push(`${part.name}=${part.value}`);
    else {
      const content: Uint8Array[] = [];
      for await (const piece of part) content.push(piece);
      parts.push([part.name, part.fileName, part.mediaType, Buffer.concat(content).toString("latin1")].join("|"));
    }
  }
  return parts;
}

describe.each(Object.entries(bodies))("what %s sends", (_client, { boundary, content, parts }) => {
  test("is read", async () => {
    expect(await partsOf(cut(content), boundary)).toEqual(parts);
  });

  test("is read the same wherever it is cut", async () => {
    for (let at = 1; at < content.length; at++) {
      expect(await partsOf(cut(content, at), boundary), `cut at ${at}`).toEqual(parts);
    }
  });

  test("is read the same byte by byte", async () => {
    expect(await partsOf(cut(content, ...Array(content.length).keys()), boundary)).toEqual(parts);
  });

  test("is refused wherever it ends early", async () => {
    const end = content.lastIndexOf("--");
    for (let size = 0; size < end + 2; size++) {
      await expect(partsOf(cut(content.slice(0, size)), boundary), `of ${size} bytes`).rejects.toMatchObject({
        code: "HEMI_CONTENT_BROKEN",
      });
    }
  });
});

test("whatever files hold, and wherever it is cut, they are read as they were sent", async () => {
  const piece = fc.constantFrom("\r", "\n", "\r\n", "--", "\r\n--", "\r\n--x", "x", "\r\n--xX", "\0", "abc", ":");
  const content = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  await fc.assert(
    fc.asyncProperty(fc.array(content, { maxLength: 4 }), fc.array(fc.nat(2000)), async (contents, cuts) => {
      const files = contents.filter((text) => !`\r\n${text}`.includes("\r\n--xXx"));
      const body = multipart(
        "xXx",
        files.map((text) => ({ name: "f", fileName: "n", content: text })),
      );
      const at = cuts.filter((cut) => cut < body.length).sort((a, b) => a - b);
      expect(await partsOf(cut(body, ...at), "xXx")).toEqual(files.map((text) => `f|n|text/plain|${text}`));
    }),
  );
});

test("any bytes are parts or an error, never anything else", async () => {
  const piece = fc.constantFrom("--x", "--x--", "\r\n", "content-disposition: form-data; name=a", ":", "\r\n\r\n", "a");
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      const parts: unknown = await partsOf(cut(pieces.join("")), "x").catch((error: unknown) => error);
      if (!Array.isArray(parts)) expect(parts).toMatchObject({ code: "HEMI_CONTENT_BROKEN" });
    }),
  );
});

test("files that nobody reads, or not to their end, are skipped", async () => {
  const large = "y".repeat(300_000);
  const body = multipart("x", [
    { name: "a", fileName: "1", content: large },
    { name: "b", fileName: "2", content: large },
    { name: "c", content: "last" },
  ]);
  const names: string[] = [];
  for await (const part of readMultipart(cut(body, 65_536, 131_072, 400_000), "x", limits)) {
    names.push(part.name);
    if (part.kind === "file" && part.name === "b") for await (const _ of part) break;
  }
  expect(names).toEqual(["a", "b", "c"]);
});

test("who leaves in the middle has the rest not read, and its source told", async () => {
  let isTold = false;
  let pulled = 0;
  async function* endless(): AsyncGenerator<Buffer, void, void> {
    try {
      yield Buffer.from('--x\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\n');
      for (;;) {
        pulled++;
        yield Buffer.alloc(1000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      isTold = true;
    }
  }
  for await (const part of readMultipart(endless(), "x", limits)) {
    expect(part.kind).toBe("file");
    break;
  }
  expect(isTold).toBe(true);
  expect(pulled).toBeLessThan(3);
});

test("a file is not read ahead of who asks for it", async () => {
  let pulled = 0;
  async function* pieces(): AsyncGenerator<Buffer, void, void> {
    yield Buffer.from('--x\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\n');
    for (; pulled < 100; pulled++) yield Buffer.alloc(65_536);
    yield Buffer.from("\r\n--x--");
    await Promise.resolve();
  }
  let taken = 0;
  for await (const part of readMultipart(pieces(), "x", limits)) {
    if (part.kind !== "file") continue;
    for await (const piece of part) {
      taken += piece.length;
      await new Promise((resolve) => setImmediate(resolve));
      expect(pulled * 65_536 - taken).toBeLessThanOrEqual(3 * 65_536);
    }
  }
  expect(taken).toBe(100 * 65_536);
});

describe("limits", () => {
  const field = (name: string, content = "v") => ({ name, content });
  test.each<[prop: keyof FormLimits, limit: number, body: Parameters<typeof multipart>[1]]>([
    ["maxFormFields", 2, [field("a"), field("b"), field("c")]],
    [
      "maxFormFiles",
      1,
      [
        { ...field("a"), fileName: "x" },
        { ...field("b"), fileName: "x" },
      ],
    ],
    ["maxFormNameSize", 4, [field("äää")]],
    ["maxFormValueSize", 10, [field("a", "x".repeat(11))]],
    ["maxMemoryContentSize", 10, [field("a", "x".repeat(6)), field("b", "x".repeat(5))]],
    ["maxUploadFileSize", 10, [{ name: "a", fileName: "x", content: "x".repeat(11) }]],
    ["maxPartHeadSize", 128, [{ ...field("a"), fileName: "x".repeat(200) }]],
    ["maxPartHeadSize", 128, [{ ...field("a"), fileName: "x".repeat(100_000) }]],
  ])("%s: what passes it is refused, with its name", async (prop, limit, parts) => {
    const read = partsOf(cut(multipart("x", parts), 70, 100), "x", { [prop]: limit });
    await expect(read).rejects.toMatchObject({ code: "HEMI_CONTENT_TOO_LARGE" });
    await expect(read).rejects.toThrow(prop);
  });

  test.each<[prop: keyof FormLimits, limit: number, body: Parameters<typeof multipart>[1]]>([
    ["maxFormFields", 2, [field("a"), field("b"), { ...field("c"), fileName: "x" }]],
    ["maxFormFiles", 1, [{ ...field("a"), fileName: "x" }, field("b"), field("c")]],
    ["maxFormNameSize", 6, [field("äää")]],
    ["maxFormValueSize", 10, [field("a", "x".repeat(10)), field("b", "x".repeat(10))]],
    ["maxMemoryContentSize", 10, [field("a", "x".repeat(5)), field("b", "x".repeat(5))]],
    ["maxUploadFileSize", 10, [{ name: "a", fileName: "x", content: "x".repeat(10) }, field("b", "x".repeat(11))]],
    // Of the field, its value, and the four characters around them.
    ["maxPartHeadSize", "content-disposition".length + 'form-data; name="a"'.length + 4, [field("a")]],
  ])("%s: what reaches it is taken", async (prop, limit, parts) => {
    expect(await partsOf(cut(multipart("x", parts), 70, 100), "x", { [prop]: limit })).toHaveLength(parts.length);
  });

  test("a file that nobody reads counts too", async () => {
    const body = multipart("x", [{ name: "a", fileName: "x", content: "x".repeat(11) }]);
    const skim = async () => {
      for await (const _ of readMultipart(cut(body), "x", { ...limits, maxUploadFileSize: 10 }));
    };
    await expect(skim()).rejects.toThrow("maxUploadFileSize");
  });

  test("a hundred thousand parts are not read beyond the limit", async () => {
    const part = '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nv\r\n';
    let pieces = 0;
    async function* flood(): AsyncGenerator<Buffer, void, void> {
      for (; pieces < 100; pieces++) yield Buffer.from(part.repeat(1000));
      await Promise.resolve();
    }
    await expect(partsOf(flood(), "x")).rejects.toThrow("more than the 100 fields of maxFormFields");
    expect(pieces).toBeLessThan(3);
  });
});

test("padding behind boundaries means nothing, however it is cut, and stays where it is content", async () => {
  const part = (name: string, value: string) => `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const text = `--b \t \r\n${part("a", "1 ")}--b\t\r\n${part("b", " 2")}--b\r\n${part("c", "x \r\n --b \r\n")}--b--  \r\n`;
  const expected = ["a=1 ", "b= 2", "c=x \r\n --b \r\n"];
  expect(await partsOf(cut(text), "b")).toEqual(expected);
  for (let at = 0; at < text.length; at++) {
    expect(await partsOf(cut(text, at), "b"), `cut at ${at}`).toEqual(expected);
  }
  expect(await partsOf(cut(text, ...Array(text.length).keys()), "b")).toEqual(expected);
});
