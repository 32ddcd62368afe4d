import { parseHTTPDate } from "@hemi/common";
import { expect, test } from "vitest";
import { FileEntry } from "../../fixtures/fcache-entry.ts";
import { representFile } from "./representation.ts";
import { makeSite } from "../../testing/static-site.ts";

const secondNs = 1_000_000_000n;

function fileOf(mtimeNs: bigint): FileEntry {
  const content = Buffer.from("hello");
  const identity = { size: content.length, mtimeNs, ctimeNs: 0n, ino: 1n, dev: 1n };
  return new FileEntry({ path: "/a.txt", realPath: "/a.txt", identity }, { content, fd: -1, onClosed() {} });
}

function lastModifiedIn({ fields }: { readonly fields: readonly string[] }): string | undefined {
  const at = fields.indexOf("last-modified");
  return at < 0 ? undefined : fields[at + 1];
}

test.each([
  [0n, "Thu, 01 Jan 1970 00:00:00 GMT"],
  [1_999_999_999n, "Thu, 01 Jan 1970 00:00:01 GMT"],
  [-62_135_596_800n * secondNs, "Mon, 01 Jan 0001 00:00:00 GMT"],
])("a file changed %d ns after the epoch was changed %s", (mtimeNs, date) => {
  expect(lastModifiedIn(representFile(fileOf(mtimeNs)))).toBe(date);
});

test.each([-62_135_596_801n, -(10n ** 14n)])("a file changed %d s after the epoch has no date", (seconds) => {
  const representation = representFile(fileOf(seconds * secondNs));
  expect(lastModifiedIn(representation)).toBeUndefined();
  expect(representation.validators.lastModified).toBeUndefined();
});

test.each([4_102_444_800n, 10n ** 14n])("a file changed %d s after the epoch is said to be changed now", (seconds) => {
  const before = Math.floor(Date.now() / 1000);
  const representation = representFile(fileOf(seconds * secondNs));
  const said = parseHTTPDate(lastModifiedIn(representation) ?? "");
  expect(said).toBe(representation.validators.lastModified);
  expect(said).toBeGreaterThanOrEqual(before);
  expect(said).toBeLessThanOrEqual(Math.floor(Date.now() / 1000));
});

test("a client that has a file from the future is told that it has it", async () => {
  await using site = await makeSite();
  await site.write("web/a.txt", "hello", new Date("2100-01-01"));
  const since = String((await site.get("/a.txt")).headers["last-modified"]);
  expect((await site.get("/a.txt", { "if-modified-since": since })).status).toBe(304);
  expect((await site.get("/a.txt", { range: "bytes=0-0", "if-range": since })).status).toBe(206);
});
