import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Charset, compilePatterns } from "./program.ts";
import { Scanner } from "./scanner.ts";
import { parsePattern, PatternError } from "./syntax.ts";

interface Options {
  readonly ignoreCase?: boolean;
  readonly charset?: Charset;
  readonly maxMatchSize?: number;
  readonly maxCount?: number;
}

/** Each match as `[pattern:group 0|group 1|…]`, and the text between. */
function scan(sources: readonly string[], pieces: readonly Uint8Array[], options: Options = {}): string {
  const { ignoreCase = false, charset = "utf8", maxMatchSize = 100, maxCount = Infinity } = options;
  const patterns = sources.map((source) => ({ node: parsePattern(source), ignoreCase }));
  const groups = sources.map((source) => source.match(/(?<!\\)\((?!\?)/g)?.length ?? 0);
  const out: string[] = [];
  let count = 0;
  const scanner = new Scanner(compilePatterns(patterns, charset), maxMatchSize, {
    text: (bytes) => void out.push(bytes.toString("latin1")),
    match(pattern, group) {
      const texts = Array.from({ length: 1 + (groups[pattern] ?? 0) }, (_, i) => group(i).toString("latin1"));
      out.push(`[${pattern}:${texts.join("|")}]`);
      return ++count < maxCount;
    },
  });
  for (const piece of pieces) scanner.push(piece);
  scanner.end();
  return Buffer.from(out.join(""), "latin1").toString(charset);
}

const scanText = (sources: readonly string[], text: string, options?: Options): string =>
  scan(sources, [Buffer.from(text, options?.charset)], options);

test.each<[readonly string[], string, string]>([
  [["b"], "abc", "a[0:b]c"],
  [["abc"], "ababcabc", "ab[0:abc][0:abc]"],
  [["aab"], "aaab", "a[0:aab]"],
  [["a+"], "aaabaa", "[0:aaa]b[0:aa]"],
  [["a+?"], "aa", "[0:a][0:a]"],
  [["<(b|i)>(.*?)</"], "<b>bold</b><i>it</i>", "[0:<b>bold</|b|bold]b>[0:<i>it</|i|it]i>"],
  [["<.*>"], "<a>\n<b><c>", "[0:<a>]\n[0:<b><c>]"],
  [["a|ab"], "ab", "[0:a]b"],
  [["ab|a"], "ab", "[0:ab]"],
  [["one", "on"], "on one", "[1:on] [0:one]"],
  [["a.*b", "a"], "a a", "[1:a] [1:a]"],
  [["x{2,3}"], "x xx xxx xxxx xxxxx", "x [0:xx] [0:xxx] [0:xxx]x [0:xxx][0:xx]"],
  [["x{2}y?"], "xxyxx", "[0:xxy][0:xx]"],
  [["(a*)*b"], "aaab", "[0:aaab|aaa]"],
  [["[^<>]+>"], "<p>", "<[0:p>]"],
  [["[\\w-]+"], "a-b c", "[0:a-b] [0:c]"],
  [["[]-]"], "a]-", "a[0:]][0:-]"],
  [["\\x41\\.\\d"], "A.1 A11", "[0:A.1] A11"],
  [["\\D+"], "12ä€😀3", "12[0:ä€😀]3"],
  [["ä.x"], "ä€x", "[0:ä€x]"],
  [["\\$\\^"], "$^", "[0:$^]"],
])("%j finds in %j: %s", (sources, text, expected) => {
  expect(scanText(sources, text)).toBe(expected);
});

test("case counts, or not", () => {
  expect(scanText(["[a-b]ä"], "Aä Bä")).toBe("Aä Bä");
  expect(scanText(["[a-b]ä"], "Aä Bä", { ignoreCase: true })).toBe("[0:Aä] [0:Bä]");
});

test("latin1 has characters of one byte", () => {
  expect(scanText(["ä.ü"], "äöü", { charset: "latin1" })).toBe("[0:äöü]");
});

test("what is longer than the bound is not found, wherever pieces end", () => {
  const text = Buffer.from("(aaa) (aaaa) (aaaaa)");
  for (let at = 0; at < text.length; at++) {
    const pieces = [text.subarray(0, at), text.subarray(at)];
    expect(scan(["\\(a+\\)"], pieces, { maxMatchSize: 6 })).toBe("[0:(aaa)] [0:(aaaa)] (aaaaa)");
  }
});

test("after so many matches no more are looked for", () => {
  expect(scanText(["a"], "aaaa", { maxCount: 2 })).toBe("[0:a][0:a]aa");
});

test("any content is found in as by JavaScript, wherever pieces end", () => {
  const sources = ["a+b", "(a|ab)(c|bcd)", "a.?b*c", "[^a]b{1,2}", "(?:ab)+?c", "b(a*?)b", "c(a|b)*c", "(a+)+c"];
  const check = fc.property(
    fc.constantFrom(...sources),
    fc.string({ unit: fc.constantFrom("a", "b", "c", "d"), maxLength: 40 }),
    fc.array(fc.nat(40), { maxLength: 5 }),
    (source, text, cuts) => {
      const bytes = Buffer.from(text);
      const ends = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
      const pieces = ends.slice(1).map((end, i) => bytes.subarray(ends[i], end));
      const expected = text.replace(new RegExp(source, "g"), (match, ...rest: unknown[]) => {
        const groups = rest.slice(0, -2).map((group) => (typeof group === "string" ? group : ""));
        return `[0:${[match, ...groups].join("|")}]`;
      });
      expect(scan([source], pieces)).toBe(expected);
    },
  );
  fc.assert(check, { numRuns: 2000 });
});

test("a content that takes a backtracking matcher forever takes no time", () => {
  const text = "a".repeat(20_000);
  expect(scanText(["(a+)+$".slice(0, -1) + "!"], text, { maxMatchSize: 50 })).toBe(text);
});

describe("refused", () => {
  test.each([
    ["(a", 'the "(" at 1 is not closed'],
    ["a)", 'the ")" at 2 closes nothing'],
    ["[a", "a [ is not closed"],
    ["[b-a]", "a range in [] ends before it begins, at 4"],
    ["[ä]", "ä cannot stand in []"],
    ["*a", "* at 1: there is nothing to repeat; for the character itself write \\*"],
    ["a**", "there is nothing to repeat at 3"],
    ["^a", "^ at 1: content is searched as a whole, and has no lines here; for the character itself write \\^"],
    ["a(?=b)", "(?= cannot be matched in one pass"],
    ["(a)\\1", "\\1 is not known here"],
    ["\\bword", "\\b is not known here"],
    ["\\x4", "\\x needs two hexadecimal digits"],
    ["a\\", "a backslash is the last character"],
    ["a{2,1}", "{2,1} is out of bounds"],
    ["a{1001}", "{1001} is out of bounds"],
    ["(?:a{1000}){1000}", "it is too large"],
    ["a*", "it matches nothing at all, everywhere"],
    ["(|a)", "it matches nothing at all, everywhere"],
  ])("is %s: %s", (source, reason) => {
    expect(() => scanText([source], "")).toThrow(PatternError);
    expect(() => scanText([source], "")).toThrow(reason);
  });
});
