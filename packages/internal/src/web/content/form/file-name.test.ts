import fc from "fast-check";
import { expect, test } from "vitest";
import { safeFileName } from "./file-name.ts";

test.each([
  ["report.pdf", "report.pdf"],
  ["Grüße aus Köln.txt", "Grüße aus Köln.txt"],
  ["../../etc/passwd", "passwd"],
  ["/etc/passwd", "passwd"],
  ["..", "file"],
  [".", "file"],
  ["", "file"],
  ["a/", "file"],
  ["C:\\Users\\Ann\\photo.jpg", "photo.jpg"],
  ["\\\\host\\share\\x.doc", "x.doc"],
  ["x.php\0.jpg", "x.php.jpg"],
  ["a\r\nb.txt", "ab.txt"],
  [".htaccess", "htaccess"],
  ["-rf", "rf"],
  ["x.txt:evil", "x.txtevil"],
  ["x.txt. . ", "x.txt"],
  ["con", "_con"],
  ["NUL.txt", "_NUL.txt"],
  ["com¹.log", "_com¹.log"],
  ["console.log", "console.log"],
  ["fake\u202Etxt.exe", "faketxt.exe"],
  ["a \u00A0 b.txt", "a b.txt"],
  ["\uD800x", "\uFFFDx"],
])("%j is stored as %j", (fileName, safe) => {
  expect(safeFileName(fileName)).toBe(safe);
});

test("a long name is cut between characters, and keeps its extension", () => {
  const safe = safeFileName("ä".repeat(300) + ".tar");
  expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(255);
  expect(safe).toMatch(/^ä+\.tar$/);
});

test("a name with 400 KB of dots in it takes no time to speak of", () => {
  const dots = ". ".repeat(200_000);
  expect(safeFileName(`x${dots}`)).toBe("x");
  expect(safeFileName(`${dots}x${dots}y.txt`)).toMatch(/^x[. ]+\.txt$/);
  expect(safeFileName(dots)).toBe("file");
});

test("whatever is sent, the name is one of a plain file in its folder", () => {
  const part = fc.constantFrom("..", "/", "\\", ".", ":", "\0", " ", "-", "con", "aux.", "\u202E", "x", ".txt");
  const name = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(part).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(name, (fileName) => {
      const safe = safeFileName(fileName);
      expect(safe).not.toMatch(/^$|^[.-]|[\0-\x1f\x7f/\\:*?"<>|]|[. ]$/);
      expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(255);
      expect(safeFileName(safe)).toBe(safe);
    }),
  );
});
