import { expect, test } from "vitest";
import { ListedFields } from "./fields.ts";

const names = [
  "host",
  "accept",
  "cookie",
  "te",
  "x",
  "if-match",
  "if-none-match",
  "x-real-ip",
  "x_y",
  "range",
  "pragma",
];

test("a field is found by its name in either case, whatever stands beside it, and no other is", () => {
  for (let chosen = 0; chosen < 1 << names.length; chosen++) {
    const present = names.filter((_, i) => ((chosen >> i) & 1) === 1);
    const fields = new ListedFields(present.flatMap((name) => [name, `of ${name}`]));
    const values = names.map((name) => (present.includes(name) ? `of ${name}` : undefined));
    const asked = names.map((name) => [name, name.toUpperCase()] as const);
    expect(asked.flatMap(([lower, upper]) => [fields.get(lower), fields.get(upper)])).toEqual(
      values.flatMap((value) => [value, value]),
    );
    expect(asked.map(([, upper]) => fields.has(upper))).toEqual(values.map((value) => value !== undefined));
  }
});

test("values of one name are joined, those of cookies by semicolons", () => {
  const fields = new ListedFields(["accept", "a", "cookie", "x=1", "accept", "b", "cookie", "y=2"]);
  expect(fields.get("Accept")).toBe("a, b");
  expect(fields.get("cookie")).toBe("x=1; y=2");
  expect(fields.getAll("ACCEPT")).toEqual(["a", "b"]);
  expect(fields.has("")).toBe(false);
  expect(new ListedFields([]).get("accept")).toBe(undefined);
});
