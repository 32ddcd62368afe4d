// What holds for every text and for every spec, tried with many that nobody would write.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatConfig } from "./format.ts";
import { parseText } from "./parser.ts";
import { problemsText } from "./config-error.ts";
import { compareOperators, fileTestOperators, presenceOperators } from "./spec.ts";
import type { ComponentSpec, ConditionSpec, SourceSpan, ValueSpec } from "./spec.ts";
import { toText } from "../testing/config-text.ts";

const runs = { numRuns: 300 };

/** Pieces that meet in unlucky ways more often than random characters do. */
const pieces = fc.constantFrom(
  ..."stage { } ( ) [ ] , : = + ! && || == != -f !f ~= $ % . < > ' ; & # // /* */ - `".split(" "),
  ...[
    "\n",
    " ",
    "\r\n",
    "\t",
    '"',
    '"a"',
    "`b`",
    "$path",
    ".x",
    ".x =",
    ".y = 1",
    "%env(",
    "%env(A)",
    "%baseDir",
    "<a>",
  ],
  ...["true", "1", "1K", "1k", "word", "rule", "rule {", "stage {", "é", "\u0000", "\ud800", "𝒳", "\u2028", "\ufeff"],
);
const soup = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(""));
const anyText = fc.oneof(
  soup,
  soup.map((text) => `stage {${text}`),
  fc.string({ unit: "binary", maxLength: 200 }),
);

describe("any text", () => {
  test("is parsed without throwing, and each problem lies within it", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { spec, problems } = parseText({ name: "x.conf", text });
        if (problems.length === 0) expect(spec?.sign).toBe("stage");
        for (const { span } of problems) {
          expect(span.start).toBeGreaterThanOrEqual(0);
          expect(span.end).toBeGreaterThanOrEqual(span.start);
          expect(span.end).toBeLessThanOrEqual(text.length);
        }
        expect(problemsText(problems).split("\n").length).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(["(", "[", "{", "a {", "rule ((", "!(", ".x = (", '.x = ["a": ', "rule $a == ("])(
    "with ten thousand %j in a row neither overflows the stack nor takes long",
    (opener) => {
      const { problems } = parseText({ name: "x.conf", text: `stage {${opener.repeat(10_000)}` });
      expect(problems.length).toBeGreaterThan(0);
    },
  );
});

const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/).filter((word) => word !== "true" && word !== "false");
const signs = name.filter((word) => word !== "stage");
const props = name.filter((word) => word !== "env");
const texts = fc
  .oneof(
    fc.string({ unit: "grapheme", maxLength: 12 }),
    fc.constantFrom("/* no */", "// no", "#", "a\nb", "a\r\n  b", "\\", '"', "`", "}"),
  )
  .map((text) => (text.includes('"') ? text.replaceAll("`", "'") : text));

const source = { name: "made", text: undefined };
const span: SourceSpan = { source, start: 0, end: 0 };

const textParts: fc.Arbitrary<ValueSpec> = fc.oneof(
  texts.map((value): ValueSpec => ({ type: "string", value, span })),
  props.map((name): ValueSpec => ({ type: "constant", name, span })),
  fc
    .tuple(name, fc.option(texts, { nil: undefined }))
    .map(([variable, fallback]): ValueSpec => ({ type: "env", variable, fallback, span })),
  name.map((name): ValueSpec => ({ type: "reference", name, span })),
);
const concats = (part: fc.Arbitrary<ValueSpec>): fc.Arbitrary<ValueSpec> =>
  fc.array(part, { minLength: 2, maxLength: 4 }).map((parts): ValueSpec => ({ type: "concat", parts, span }));
const variables = name.map((name): ValueSpec => ({ type: "variable", name, span }));
const scalars: fc.Arbitrary<ValueSpec> = fc.oneof(
  fc.boolean().map((value): ValueSpec => ({ type: "bool", value, span })),
  fc.maxSafeNat().map((value): ValueSpec => ({ type: "integer", value, span })),
  fc.nat().map((value): ValueSpec => ({ type: "size", value: value * 1024, span })),
  fc.maxSafeNat().map((value): ValueSpec => ({ type: "duration", value, span })),
  textParts,
  variables,
  concats(fc.oneof(textParts, variables)),
);
const { value: values } = fc.letrec<{ value: ValueSpec }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalars,
    fc.array(tie("value"), { maxLength: 4 }).map((items): ValueSpec => ({ type: "list", items, span })),
    fc
      .uniqueArray(fc.tuple(texts, tie("value")), { maxLength: 4, selector: ([key]) => key })
      .map((entries): ValueSpec => ({
        type: "dict",
        entries: entries.map(([key, value]) => ({ key, keySpan: span, value })),
        span,
      })),
  ),
}));

const patterns = fc.oneof(
  textParts,
  concats(textParts),
  fc
    .array(fc.oneof(textParts, concats(textParts)), { maxLength: 3 })
    .map((items): ValueSpec => ({ type: "list", items, span })),
);
const { condition: conditions } = fc.letrec<{ condition: ConditionSpec }>((tie) => {
  const operands = fc.array(tie("condition"), { minLength: 2, maxLength: 3 });
  return {
    condition: fc.oneof(
      { maxDepth: 3 },
      fc
        .tuple(name, fc.constantFrom(...compareOperators), patterns)
        .map(([variable, operator, pattern]): ConditionSpec => ({
          type: "compare",
          variable,
          variableSpan: span,
          operator,
          pattern,
          span,
        })),
      fc.tuple(name, fc.constantFrom(...presenceOperators)).map(([variable, operator]): ConditionSpec => ({
        type: "presence",
        variable,
        variableSpan: span,
        operator,
        span,
      })),
      fc
        .tuple(fc.constantFrom(...fileTestOperators), fc.option(concats(textParts), { nil: undefined }))
        .map(([operator, file]): ConditionSpec => ({ type: "fileTest", operator, file, span })),
      operands.map((operands): ConditionSpec => ({ type: "and", operands, span })),
      operands.map((operands): ConditionSpec => ({ type: "or", operands, span })),
      tie("condition").map((operand): ConditionSpec => ({ type: "not", operand, span })),
    ),
  };
});

const someProps = fc.array(
  fc.tuple(name, values).map(([name, value]) => ({ name, nameSpan: span, value, span })),
  { maxLength: 4 },
);
const { component: components } = fc.letrec<{ component: ComponentSpec }>((tie) => ({
  component: fc
    .tuple(
      signs,
      fc.option(
        texts.filter((text) => text !== ""),
        { nil: undefined },
      ),
      fc.option(conditions, { nil: undefined }),
      someProps,
      fc.oneof({ maxDepth: 3 }, fc.constant([]), fc.array(tie("component"), { maxLength: 3 })),
    )
    .map(([sign, name, condition, props, children]) => ({
      sign,
      signSpan: span,
      name,
      nameSpan: name === undefined ? undefined : span,
      condition,
      props,
      children,
      span,
    })),
}));
const stages = fc.tuple(someProps, fc.array(components, { maxLength: 4 })).map(([props, children]): ComponentSpec => ({
  sign: "stage",
  signSpan: span,
  name: undefined,
  nameSpan: undefined,
  condition: undefined,
  props,
  children,
  span,
}));

/** All spans made one, so that only what was written is compared. */
function placeless(spec: ComponentSpec | undefined): unknown {
  return JSON.parse(
    JSON.stringify(spec ?? null, (key, value: unknown) => (key.toLowerCase().endsWith("span") ? undefined : value)),
  );
}

function parsed(text: string): unknown {
  const { spec, problems } = parseText({ name: "x.conf", text });
  expect(problemsText(problems)).toBe("");
  return placeless(spec);
}

describe("any spec", () => {
  test("reads back as itself after it is printed", () => {
    fc.assert(
      fc.property(stages, (stage) => {
        const text = toText(stage);
        expect(parsed(text)).toEqual(placeless(stage));
        expect(formatConfig(text).text).toBe(text);
      }),
      runs,
    );
  });

  test("is read the same, with all comments, whatever stands between the tokens", () => {
    const gaps = fc.constantFrom(
      "",
      " ",
      "\n",
      "\n\n\n",
      "\t",
      "// c1\n",
      " # c2 \r\n",
      "/* c3 */",
      "\n/* c4\n c4 */\n",
      "\n// c5\n\n",
    );
    fc.assert(
      fc.property(stages, fc.array(gaps, { minLength: 1, maxLength: 40 }), (stage, between) => {
        const tokens = toText(stage).match(tokenPattern) ?? [];
        const strewn = tokens.map(
          (token, index) => `${token}${between[index % between.length] ?? ""}${glue(token, tokens[index + 1])}`,
        );
        const text = strewn.join("");
        const formatted = formatConfig(text);
        expect(problemsText(formatted.problems)).toBe("");
        const once = formatted.text ?? "";
        expect(parsed(once)).toEqual(placeless(stage));
        expect(formatConfig(once).text).toBe(once);
        expect(commentsIn(once)).toEqual(commentsIn(text));
      }),
      runs,
    );
  });
});

test.each(["in", "exists"])(
  "a component may have the sign %s, even behind a property that ends with a variable",
  (sign) => {
    const text = `stage { .a = $b ${sign} { .c = "d" + $e ${sign} $${sign} exists {} } }`;
    const { spec, problems } = parseText({ name: "x.conf", text });
    expect(problemsText(problems)).toBe("");
    expect(spec?.children).toMatchObject([
      { sign, props: [{ name: "c" }], children: [{ sign, condition: { variable: sign } }] },
    ]);
  },
);

const tokenPattern = /"[^"]*"|`[^`]*`|[$%.]?\w+|[-!][a-zA-Z]+\b|!?~\*|![$^*~=]|[$^*~=]=|&&|\|\||\S/g;

/** A space where two tokens would otherwise become one. */
function glue(token: string, next = ""): string {
  return /\w$/.test(token) && /^\w/.test(next) ? " " : /^[!$]/.test(next) || /^[-!]/.test(token) ? " " : "";
}

/** How often each kind of comment occurs. */
function commentsIn(text: string): number[] {
  const bare = text.replace(/"[^"]*"|`[^`]*`/g, '""');
  return ["c1", "c2", "c3", "c4", "c5"].map((comment) => bare.split(comment).length);
}
