// Check: whoever changes what a public package publishes says so in a changeset.
// usage: node scripts/checks/changesets.mjs
//
// A package is compared with its base:
// - on a branch, the commit where that left the upstream's default branch, and the changeset must be as new as that;
// - else, or if it is newer, its last release, which is the last commit that touched its CHANGELOG.md;
// - else (never released) nothing at all: everything in it is new.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publicPackages, root } from "../workspace.mjs";

/** How a check says that it could not be made, in its last line of output. */
const skipped = 77;

/** The packages that a changeset names. None is a statement too: "users see nothing of this". */
export function namesIn(changeset) {
  const [, head = ""] = /^---\r?\n(.*?)^---/ms.exec(changeset) ?? [];
  return [...head.matchAll(/^["']?(@?[^"':]+)["']?:/gm)].map(([, name]) => name);
}

/** Whether one of the changesets (each the names in it) speaks of `name`, or of a package that is released with it. */
export function isCovered(name, changesets, fixedGroups) {
  const group = fixedGroups.find((names) => names.includes(name)) ?? [name];
  return changesets.some((names) => names.length === 0 || names.some((other) => group.includes(other)));
}

/** Whether a file (a path within its package) is part of what users get. */
export function isPublished(file) {
  return !/(^|\/)(e2e|golden)\/|\.test\.ts$|^(README|CHANGELOG)\.md$|^tsconfig.*\.json$/.test(file);
}

function git(...args) {
  const options = { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 64 * 1024 * 1024 };
  return execFileSync("git", args, options).trim();
}

/** The output of git, or "" where git says no: no such reference, no repository. */
function tryGit(...args) {
  try {
    return git(...args);
  } catch {
    return "";
  }
}

/**
 * Files under `folder` that differ from a commit, those not yet committed included; all files where there is no commit.
 */
function changedSince(commit, folder) {
  const known = commit === "" ? ["ls-files"] : ["diff", "--name-only", commit];
  const lists = [git(...known, "--", folder), git("ls-files", "--others", "--exclude-standard", "--", folder)];
  return lists.flatMap((list) => list.split("\n")).filter((file) => file !== "");
}

/** Where this branch left the upstream's default branch; "" on that branch itself, or without an upstream. */
function branchPoint() {
  const upstream = tryGit("rev-parse", "--abbrev-ref", "origin/HEAD") || "origin/main";
  const point = tryGit("merge-base", "HEAD", upstream);
  return point === tryGit("rev-parse", "HEAD") ? "" : point;
}

/**
 * The commit that a package is compared with: the newer one of its last release and the branch's beginning; "" for
 * none.
 */
function baseOf(folder, point) {
  const release = git("log", "-1", "--format=%H", "--", `${folder}/CHANGELOG.md`);
  if (point === "" || release === "") return point || release;
  return git("merge-base", point, release) === point ? release : point;
}

/** Whether `changeset version` just ran here, and its result is not yet committed. */
function isBeingReleased(folder) {
  return git("status", "--porcelain", "--", `${folder}/CHANGELOG.md`) !== "";
}

function check() {
  const { fixed } = JSON.parse(readFileSync(join(root, ".changeset", "config.json"), "utf8"));
  const point = branchPoint();
  const changesets = changedSince(point, ".changeset")
    .filter((file) => file.endsWith(".md") && !file.endsWith("README.md") && existsSync(join(root, file)))
    .map((file) => namesIn(readFileSync(join(root, file), "utf8")));

  return publicPackages().flatMap(({ folder, manifest }) => {
    if (isBeingReleased(folder)) return [];
    const files = changedSince(baseOf(folder, point), folder).filter((file) =>
      isPublished(file.slice(folder.length + 1)),
    );
    if (files.length === 0 || isCovered(manifest.name, changesets, fixed)) return [];
    return [
      `${manifest.name} changed (${files[0]}${files.length > 1 ? ` and ${files.length - 1} more` : ""}) without a changeset.`,
    ];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (tryGit("rev-parse", "--is-shallow-repository") !== "false") {
    console.log("this is not a git clone with its whole history");
    process.exit(skipped);
  }
  const problems = check();
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) {
    console.log(
      "Run `pnpm changeset` and say what users will see; `pnpm changeset --empty` if they will see nothing. Commit the file.",
    );
    process.exit(1);
  }
}
