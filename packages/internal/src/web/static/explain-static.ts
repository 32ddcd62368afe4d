// What static would answer, told. A test holds it to what static does.

import type { Explanation } from "../explain/explanation.ts";
import type { DirectoryEntry, FileEntry } from "../../fixtures/fcache-entry.ts";
import type { Fcache } from "../../fixtures/fcache.ts";
import { isHTMLNamed } from "../../http/accept.ts";
import { namesNoFile } from "../request/path.ts";
import { representFile, statusOf } from "../response/representation.ts";
import type { Request } from "../request/request.ts";
import { type CandidateRules, candidatesOf, findIndexFile, localPathOf } from "./candidates.ts";
import { isHidden } from "./hidden.ts";
import { isInWebRoot } from "./web-root.ts";

/** Those of its props that say what it takes. */
export interface ExplainedProps extends CandidateRules {
  readonly fallbackFor: "html" | "any";
  readonly otherwise: number | undefined;
  readonly fallback: string | undefined;
  readonly listing: "off" | "html";
  readonly precompressed: readonly string[];
  readonly maxRanges: number;
}

export async function explainStatic(req: Request, props: ExplainedProps, fcache: Fcache): Promise<Explanation> {
  const { path } = req;
  if (!path.startsWith("/")) return leaves("it is no path");
  const local = localPathOf(path, props.stripPrefix);
  if (local === undefined) return leaves(`its path does not begin with ${props.stripPrefix}`);
  if (namesNoFile(req)) return await explainFallback(req, props, "of this name", fcache);
  if (isHidden(local)) return answers(404, "files whose names begin with a dot are not served");
  let folder: DirectoryEntry | undefined;
  const candidates = candidatesOf(local, props);
  for (const { file, isScript } of candidates) {
    const entry = await fcache.open(file);
    if (isScript && (entry.kind === "file" || entry.kind === "denied")) return leaves(`${file} is a program`);
    if (entry.kind === "denied") return answers(403, `${file} cannot be read: ${entry.code}`);
    if (entry.kind === "failed") return answers(503, `${file} cannot be opened: ${entry.code}`);
    if (entry.kind === "file") return await explainFile(req, props, entry);
    if (entry.kind === "directory" && file === candidates[0]?.file) folder = entry;
  }
  const instead = await explainFolder(req, props, local, folder, fcache);
  return instead ?? (await explainFallback(req, props, candidates.map(({ file }) => file).join(", nor "), fcache));
}

/** A file outside of the root is left alone, and no fallback stands in for it. */
async function explainFile(req: Request, props: ExplainedProps, file: FileEntry): Promise<Explanation> {
  if (!(await isInside(props, file))) {
    return nothing(props, `${file.path} leads to ${file.realPath}, outside of the web root`);
  }
  const other = explainOtherMethod(req);
  if (other !== undefined) return other;
  const told: Explanation = { takes: "yes", text: `sends ${file.path}` };
  if (props.precompressed.length === 0) {
    const status = statusOf(req, representFile(file, { maxRanges: props.maxRanges }));
    return status === 200 ? told : answers(status, `${instead[status]} ${file.path}`);
  }
  return { ...told, details: [`or what lies beside it compressed, by ${props.precompressed.join(", ")}`] };
}

/** A folder without its slash, or without its index file; `undefined` if nothing is to be seen there. */
async function explainFolder(
  req: Request,
  props: ExplainedProps,
  local: string,
  found: DirectoryEntry | undefined,
  fcache: Fcache,
): Promise<Explanation | undefined> {
  const isListed = props.listing !== "off";
  if (local.endsWith("/")) {
    if (!isListed) return undefined;
    const folder = await fcache.open(props.webRoot + local);
    if (folder.kind !== "directory" || !(await isInside(props, folder))) return undefined;
    return explainOtherMethod(req) ?? answers(200, `lists ${folder.path}`);
  }
  if (found === undefined) return undefined;
  const index = await findIndexFile(`${local}/`, props, fcache);
  if (index?.isScript === true) return leaves(`${index.entry.path} is a program`);
  const isShown = index === undefined && isListed;
  const there = isShown ? await fcache.open(`${props.webRoot}${local}/`) : index?.entry;
  if (there === undefined || (there.kind !== "file" && there.kind !== "directory")) return undefined;
  if (!(await isInside(props, there))) return undefined;
  return explainOtherMethod(req) ?? answers(301, `${found.path} is a folder: redirects to its path with a slash`);
}

async function explainFallback(
  req: Request,
  props: ExplainedProps,
  file: string,
  fcache: Fcache,
): Promise<Explanation> {
  const missing = nothing(props, `there is no file ${file}`);
  if (props.fallback === undefined || explainOtherMethod(req) !== undefined) return missing;
  const accept = req.header("accept");
  if (props.fallbackFor === "html" && (accept === undefined || !isHTMLNamed(accept)))
    return { ...missing, details: ["the fallback is for browsers"] };
  const fallback = await fcache.open(`${props.webRoot}/${props.fallback}`);
  if (fallback.kind !== "file" || !(await isInside(props, fallback))) return missing;
  return answers(200, `there is no file ${file}: sends ${fallback.path}`);
}

async function isInside({ webRoot }: ExplainedProps, found: FileEntry | DirectoryEntry): Promise<boolean> {
  return await isInWebRoot(webRoot, found.realPath);
}

function explainOtherMethod({ method }: Request): Explanation | undefined {
  if (method === "GET" || method === "HEAD") return undefined;
  return method === "OPTIONS" ? answers(204, "says which methods it has") : answers(405, `${method} is not for files`);
}

/** Of what is not a 200. */
const instead = {
  206: "sends the ranges that are asked for of",
  304: "says that the client has what is in",
  412: "the preconditions do not hold for",
  416: "the ranges that are asked for are not in",
};

function answers(status: number, text: string): Explanation {
  return { takes: "yes", status, text };
}

function nothing({ otherwise }: ExplainedProps, text: string): Explanation {
  return otherwise === undefined ? leaves(text) : answers(otherwise, text);
}

function leaves(text: string): Explanation {
  return { takes: "no", text };
}
