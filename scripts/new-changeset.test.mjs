import { expect, test } from "vitest";
import { namesIn } from "./checks/changesets.mjs";
import { changesetText } from "./new-changeset.mjs";

const published = ["@hemi/internal", "@hemi/contrib-apps"];

test("a changeset that is written from arguments names its packages as the check reads them", () => {
  const text = changesetText(["internal", "@hemi/contrib-apps"], "minor", "More apps.", published);
  expect(text).toBe('---\n"@hemi/internal": minor\n"@hemi/contrib-apps": minor\n---\n\nMore apps.\n');
  expect(namesIn(text)).toEqual(published);
});

test.each([
  [["intern"], "minor", "x", "@hemi/intern is no published package"],
  [["internal"], "huge", "x", '"huge" is none of patch, minor, major'],
  [["internal"], "patch", " ", "needs a text"],
])("%j %s %j is refused", (packages, bump, text, reason) => {
  expect(() => changesetText(packages, bump, text, published)).toThrow(reason);
});
