import { expect, test } from "vitest";
import { askOf } from "../../testing/ask.ts";
import { lineText } from "../../log/lines/line-writer.ts";
import { AccessEntry } from "./access-entry.ts";
import { combinedFormat } from "./combined.ts";
import { redactQueriesNamed } from "./redact.ts";

const noon = Date.UTC(2026, 0, 31, 12);

async function lineOf(
  url: string,
  headers: Record<string, string | string[]> = {},
  { method = "GET", isAnswered = true }: { method?: string; isAnswered?: boolean } = {},
): Promise<string> {
  let line = "";
  const ask = askOf((req, resp) => {
    const format = combinedFormat(redactQueriesNamed([]));
    const clock = { monotonic: () => 0, timeOf: () => noon };
    new AccessEntry(req, { header: () => undefined }, clock, (entry) => (line = lineText(format, entry))).ended(
      isAnswered ? 200 : undefined,
      12,
      "complete",
    );
    resp.send();
    return true;
  });
  await ask({ method, url, headers });
  return line;
}

test("a line tells the client, the date, the request, the answer, the referer and the user agent", async () => {
  const headers = { referer: "https://a.example/", "user-agent": "curl/8.5.0" };
  expect(await lineOf("http://a.example/a%20b?c=d", headers)).toBe(
    '127.0.0.1 - - [31/Jan/2026:12:00:00 +0000] "GET /a%20b?c=d HTTP/1.1" 200 12 "https://a.example/" "curl/8.5.0"\n',
  );
});

test("what is not there is a hyphen", async () => {
  expect(await lineOf("http://a.example/")).toMatch(/ 200 12 "-" "-"\n$/);
});

test("a client that left before it was answered has the status that nginx gives it", async () => {
  expect(await lineOf("/", {}, { isAnswered: false })).toContain('" 499 12 "');
});

test("credentials and cookies are never written", async () => {
  const secret = "c2VjcmV0";
  const names = ["authorization", "proxy-authorization", "cookie"];
  expect(await lineOf("/", Object.fromEntries(names.map((name) => [name, secret])))).not.toContain(secret);
});

test.each([
  ['" 200 1 "x', '"\\x22 200 1 \\x22x"'],
  ["\\", '"\\x5C"'],
  ['\\" 200', '"\\x5C\\x22 200"'],
  ["a\r\n1.2.3.4 - - [", '"a\\x0D\\x0A1.2.3.4 - - ["'],
  ["\u001b[2J\u007f\0\t", '"\\x1B[2J\\x7F\\x00\\x09"'],
  ["Ã¤\u009b", '"\\xC3\\xA4\\x9B"'],
  ["\u202e\u2028", '"\\u202E\\u2028"'],
])("a user agent of %j cannot leave its place", async (userAgent, written) => {
  const line = await lineOf("/", { "user-agent": userAgent });
  expect(line).toMatch(/ HTTP\/1\.1" 200 12 "-" [^\n]*\n$/);
  expect(line.endsWith(` ${written}\n`)).toBe(true);
  expect(await lineOf("/", { referer: userAgent })).toContain(` 200 12 ${written} "-"\n`);
});

test("a target or method cannot leave its place either", async () => {
  expect(await lineOf('/?"\\é')).toContain('"GET /?\\x22\\x5C\\xE9 HTTP/1.1" 200');
  expect(await lineOf("/", {}, { method: 'G"' })).toContain('"G\\x22 / HTTP/1.1" 200');
});
