// The parts of our own checks that decide: circles, arrows of manifests, and what a changeset covers.
import { describe, expect, test } from "vitest";
import { isCovered, isPublished, namesIn } from "./changesets.mjs";
import { circles } from "./imports.mjs";
import { brokenArrows, unlisted } from "./manifests.mjs";

describe("circles of imports", () => {
  const graph = (edges) => new Map(Object.entries(edges));

  test("a tree and a diamond have none", () => {
    expect(circles(graph({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] }))).toEqual([]);
  });

  test("a circle is told from where it was entered, and ends where it began", () => {
    expect(circles(graph({ a: ["b"], b: ["c"], c: ["b"] }))).toEqual([["b", "c", "b"]]);
  });

  test("a file that imports itself is a circle", () => {
    expect(circles(graph({ a: ["a"] }))).toEqual([["a", "a"]]);
  });
});

describe("dependencies between packages", () => {
  test("one against the arrows is told with its reason", () => {
    const manifest = {
      name: "@hemi/internal",
      dependencies: { "@hemi/common": "workspace:^", "@hemi/hemi": "workspace:^" },
    };
    expect(brokenArrows(manifest)).toEqual([expect.stringMatching(/^@hemi\/internal must not use @hemi\/hemi: /)]);
  });

  test("development dependencies count, and private packages are free", () => {
    const broken = { name: "@hemi/contrib-a", devDependencies: { "@hemi/contrib-b": "workspace:^" } };
    expect(brokenArrows(broken)).toHaveLength(1);
    expect(brokenArrows({ name: "@hemi/develop", dependencies: { "@hemi/procman": "workspace:*" } })).toEqual([]);
  });
});

describe("changesets", () => {
  const fixed = [["@hemi/common", "@hemi/internal"]];

  test("the names in a changeset are read from its head alone", () => {
    expect(namesIn('---\n"@hemi/common": minor\n\'@hemi/contrib-a\': patch\n---\n\n"@hemi/hemi": not this\n')).toEqual([
      "@hemi/common",
      "@hemi/contrib-a",
    ]);
    expect(namesIn("---\n---\n\nNothing that users see.\n")).toEqual([]);
  });

  test("one of a package's fixed group covers it, another's does not, an empty one covers all", () => {
    expect(isCovered("@hemi/internal", [["@hemi/common"]], fixed)).toBe(true);
    expect(isCovered("@hemi/contrib-a", [["@hemi/common"]], fixed)).toBe(false);
    expect(isCovered("@hemi/contrib-a", [["@hemi/common"], []], fixed)).toBe(true);
    expect(isCovered("@hemi/contrib-a", [], fixed)).toBe(false);
  });

  test("tests, golden files and a README are not what users get", () => {
    expect(["src/a.test.ts", "src/golden/a.txt", "e2e/a.ts", "README.md", "tsconfig.json"].filter(isPublished)).toEqual(
      [],
    );
    expect(["src/a.ts", "package.json", "bin/hemi.js"].every(isPublished)).toBe(true);
  });
});

test("a contrib that a table of packages lacks is told, also where another's name begins with its own", () => {
  const documents = { "README.md": "packages/contrib-redis-stater", "ARCHITECTURE.md": "`packages/contrib-redis`" };
  expect(unlisted(["packages/contrib-redis"], documents)).toEqual([
    "README.md does not list packages/contrib-redis: add a line to its table of packages.",
  ]);
});
