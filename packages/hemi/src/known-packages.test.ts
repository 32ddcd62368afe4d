import apps from "@hemi/contrib-apps";
import handlets from "@hemi/contrib-handlets";
import revisers from "@hemi/contrib-revisers";
import { bootWith } from "@hemi/internal";
import { expect, test } from "vitest";
import { knownPackages } from "./known-packages.ts";

const signs = [apps, handlets, revisers].flatMap(({ name, definitions }) =>
  definitions.map(({ sign }) => [sign, name] as const),
);

test.each(signs)("who lacks %s is told that it is in %s", async (sign, name) => {
  const config = `stage { webapp "w" { .hostnames = ("*") rule { ${sign} {} } } }`;
  await expect(bootWith([], { knownPackages }).bootText(config)).rejects.toThrow(name);
});
