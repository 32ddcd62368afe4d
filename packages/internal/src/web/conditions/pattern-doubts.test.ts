import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import type { Problem } from "../../config/problem.ts";

async function doubtsOf(condition: string): Promise<readonly (readonly [string, string | undefined])[]> {
  const doubts: Problem[] = [];
  const text = `stage {
    webapp "a" { .hostnames = ("*") rule ${condition} { .returnText = "x" } }
    httpxServer "s" { .address = "127.0.0.1:0" }
  }`;
  await using _stage = await bootWith([]).bootText(text, { warned: (found) => doubts.push(...found) });
  return doubts.map(({ message, hint }) => [message.replace(/^rule: /, ""), hint] as const);
}

test.each([
  ['$path ^= "assets/"', '$path begins with "/", and "assets/" does not', "/assets/"],
  ['$path == ("/a", "b")', '$path begins with "/", and "b" does not', "/b"],
  ['$encodedPath !^ "a/"', '$encodedPath begins with "/", and "a/" does not', "/a/"],
  ['$path ~= "^assets/"', '$path begins with "/", and what matches "^assets/" does not', "^/assets/"],
  ['$queryString ^= "a=1"', '$queryString begins with "?", and "a=1" does not', "?a=1"],
  ['$queryString ~* "^a="', '$queryString begins with "?", and what matches "^a=" does not', String.raw`^\?a=`],
  ['$colonPort == "8080"', '$colonPort begins with ":", and "8080" does not', ":8080"],
  ['$method == "post"', '$method is in upper case, and "post" is not', "POST"],
  ['$scheme != "https://"', '$scheme is in lower case, without a colon, and "https://" is not', "https"],
])("%s is told by a warning: no request matches it", async (condition, message, meant) => {
  expect(await doubtsOf(condition)).toEqual([[message, `did you mean "${meant}"?`]]);
});

test.each(["https://A.example", "a.example:8080", "a.example.", "A.Example"])(
  "a hostname written as %j is told by a warning",
  async (name) => {
    expect(await doubtsOf(`$hostname == "${name}"`)).toEqual([
      [
        `$hostname is in lower case, without scheme, port and dot at its end, and "${name}" is not`,
        'did you mean "a.example"?',
      ],
    ]);
  },
);

test.each([
  '$path ^= "/assets/"',
  '$path ^= ""',
  '$path == "*"',
  '$path $= "assets"',
  '$path *= "assets"',
  '$path ~= "assets"',
  '$path ~= "^a|^/b"',
  '$path ~= "^.assets"',
  '$path ~= "^a?/b"',
  '$path ~= "^a*/b"',
  '$path ~= "^a{0,2}/b"',
  '$queryString == ""',
  '$queryString ^= "?a=1"',
  '$method == "Purge"',
  '$hostname == ("a.example", "[::1]", "127.0.0.1")',
  '$hostname ^= "www."',
  '$header_x == "GET"',
])("%s is told nothing about", async (condition) => {
  expect(await doubtsOf(condition)).toEqual([]);
});
