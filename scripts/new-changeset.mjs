// `pnpm new-changeset PACKAGES BUMP TEXT`: writes a changeset without asking anything.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publicPackages, root } from "./workspace.mjs";

const usage = `usage: pnpm new-changeset PACKAGES BUMP TEXT
       such as: pnpm new-changeset contrib-apps,internal minor "What users get."`;

/**
 * The text of a changeset. `packages`: names, with or without "@hemi/". Throws for one that is not published, for
 * another bump, and for no text.
 */
export function changesetText(packages, bump, text, published) {
  const names = packages.map((name) => (name.startsWith("@hemi/") ? name : `@hemi/${name}`));
  for (const name of names) {
    if (!published.includes(name)) throw new Error(`${name} is no published package: ${published.join(", ")}`);
  }
  if (!["patch", "minor", "major"].includes(bump)) throw new Error(`"${bump}" is none of patch, minor, major`);
  if (text.trim() === "") throw new Error("a changeset needs a text: what do users get?");
  const head = names.map((name) => `"${name}": ${bump}\n`).join("");
  return `---\n${head}---\n\n${text.trim()}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [packages = "", bump = "", text = "", ...rest] = process.argv.slice(2);
  try {
    if (packages === "" || rest.length > 0) throw new Error(usage);
    const published = publicPackages().map(({ manifest }) => manifest.name);
    const changeset = changesetText(packages.split(","), bump, text, published);
    // Two branches that say different things write different files.
    const file = `.changeset/${createHash("sha256").update(changeset).digest("hex").slice(0, 12)}.md`;
    writeFileSync(join(root, file), changeset);
    console.log(file);
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}
