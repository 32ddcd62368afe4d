import fc from "fast-check";
import { expect, test } from "vitest";
import { compileCondition, type Condition } from "../../component/condition.ts";
import { variableTable } from "../../component/variables.ts";
import { RuleIndex, type IndexedRequest } from "./rule-index.ts";

const table = variableTable<IndexedRequest>({
  path: ({ path }) => path,
  hostname: ({ hostname }) => hostname,
  method: ({ method }) => method,
});

const path = fc.stringMatching(/^(\/[ab]{0,2}){0,3}$/);
const hostname = fc.constantFrom("a.example", "b.example");
const method = fc.constantFrom("GET", "POST");
const request: fc.Arbitrary<IndexedRequest> = fc.record({ path, hostname, method });
const operators = ["==", "!=", "^=", "!^", "$=", "!$", "*=", "!*"] as const;
const compare = fc.record({
  type: fc.constant("compare" as const),
  variable: fc.constantFrom("path", "path", "hostname", "method"),
  operator: fc.constantFrom(...operators),
  patterns: fc.array(fc.oneof(path, hostname, method), { maxLength: 3 }),
});
const { condition } = fc.letrec<{ condition: Condition }>((tie) => {
  const operands = fc.array(tie("condition"), { maxLength: 3 });
  return {
    condition: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      compare,
      fc.record({ type: fc.constantFrom("and" as const, "or" as const), operands }),
      fc.record({ type: fc.constant("not" as const), operand: tie("condition") }),
    ),
  };
});
const conditions = fc.array(fc.option(condition, { nil: undefined, freq: 8 }), { maxLength: 30 });

test("no rule is skipped that would match, from wherever it is asked, and for requests in any order", () => {
  fc.assert(
    fc.property(conditions, fc.array(fc.tuple(request, fc.nat(31)), { maxLength: 10 }), (conditions, asked) => {
      const compiled = conditions.map((condition) =>
        condition === undefined ? () => true : compileCondition(condition, table),
      );
      const index = new RuleIndex(conditions);
      for (const [req, from] of asked) {
        const plain = compiled.findIndex((matches, number) => number >= from && matches(req) === true);
        let number = index.next(from, req);
        while (number < conditions.length && compiled[number]?.(req) !== true) number = index.next(number + 1, req);
        expect(number).toBe(plain === -1 ? conditions.length : plain);
      }
    }),
    { numRuns: 2000 },
  );
});

const equals = (variable: string, ...patterns: string[]): Condition => ({
  type: "compare",
  variable,
  operator: "==",
  patterns,
});
const begins = (...patterns: string[]): Condition => ({ type: "compare", variable: "path", operator: "^=", patterns });
const get = (path: string): IndexedRequest => ({ path, hostname: "a.example", method: "GET" });

test("rules of other paths, prefixes, hostnames and methods are never tried", () => {
  const others = [equals("path", "/x"), begins("/x/"), equals("hostname", "x.example"), equals("method", "PUT")];
  const index = new RuleIndex([
    ...others,
    { type: "and", operands: [{ type: "fileTest", operator: "-f" }, equals("path", "/y", "/x")] },
    { type: "or", operands: [equals("path", "/y"), begins("/z/")] },
    begins("/", "/b"),
  ]);
  expect(index.next(0, get("/b/c"))).toBe(6);
  expect(index.next(0, get("/y"))).toBe(4);
  expect(index.next(5, get("/y"))).toBe(5);
  expect(index.next(7, get("/y"))).toBe(7);
});

test("what nothing can be said of is always tried", () => {
  const index = new RuleIndex([
    undefined,
    { type: "not", operand: equals("path", "/a") },
    { type: "and", operands: [] },
  ]);
  expect([0, 1, 2, 3].map((from) => index.next(from, get("/z")))).toEqual([0, 1, 2, 3]);
});
