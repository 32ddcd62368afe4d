// Answers with listings of folders, as a page or as JSON.

import { Buffer } from "node:buffer";
import { LRUCache } from "lru-cache";
import type { DirectoryEntry } from "../../fixtures/fcache-entry.ts";
import { likingOf, parseWeights } from "../../http/accept.ts";
import { HTTPError } from "../http-error.ts";
import { answerOtherMethod } from "../response/other-methods.ts";
import { type Representation, representContent, sendRepresentation } from "../response/representation.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { listingJSON, listingPage } from "./listing-forms.ts";
import { type Listing, readListing } from "./listing.ts";
import type { WebRoot } from "./web-root.ts";

/** A listing as it was read, with its forms once asked for. */
interface Read {
  readonly listing: Listing;
  page: Representation | undefined;
  json: Representation | undefined;
}

export class ListingResponses {
  readonly #root: WebRoot;
  readonly #maxEntries: number;
  /**
   * By what the fcache gave, which is another object after each look: so a folder is read once in its interval, whoever
   * asks, and never listed for longer.
   */
  readonly #reads = new LRUCache<DirectoryEntry, Promise<Read>>({ max: maxReads });

  constructor(root: WebRoot, maxEntries: number) {
    this.#root = root;
    this.#maxEntries = maxEntries;
  }

  /** False for a folder that has gone meanwhile, or is outside of the root. */
  async answer(req: Request, resp: Response, folder: DirectoryEntry): Promise<boolean> {
    if (!(await this.#root.admits(folder))) return false;
    if (req.method !== "GET" && req.method !== "HEAD") {
      answerOtherMethod(req, resp, ["GET", "HEAD"]);
      return true;
    }
    const read = await this.#read(folder);
    if (read === undefined) return false;
    return sendRepresentation(req, resp, wantsJSON(req.header("accept")) ? jsonOf(read, req) : pageOf(read, req));
  }

  /** `undefined` if there is no such folder any more. */
  async #read(folder: DirectoryEntry): Promise<Read | undefined> {
    let read = this.#reads.get(folder);
    if (read === undefined) {
      const contains = (realPath: string) => this.#root.contains(realPath);
      // By its real path, which was admitted: another folder could stand behind a link by now.
      read = readListing(folder.realPath, { maxEntries: this.#maxEntries, contains }).then((listing) => {
        return { listing, page: undefined, json: undefined };
      });
      this.#reads.set(folder, read);
    }
    try {
      return await read;
    } catch (error) {
      this.#reads.delete(folder);
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      const status = code === "EACCES" || code === "EPERM" ? 403 : 503;
      throw new HTTPError(status, `${folder.path} cannot be listed: ${String(code)}`, { cause: error });
    }
  }
}

/** JSON for those who name it, and like it no less than a page. */
function wantsJSON(accept = ""): boolean {
  const list = parseWeights(accept);
  const json = likingOf("application/json", list);
  const page = likingOf("text/html", list);
  return json.weight > page.weight || (json.isNamed && !page.isNamed && json.weight === page.weight);
}

/** A folder changes without notice: a copy is good for as long as it takes to ask. */
const options = { noCache: true, vary: "Accept" };

// The path is that of the folder for each who gets it: it is what the fcache was asked by.

function pageOf(read: Read, { path }: Request): Representation {
  return (read.page ??= representContent(
    Buffer.from(listingPage(path, read.listing)),
    "text/html; charset=utf-8",
    options,
  ));
}

function jsonOf(read: Read, { path }: Request): Representation {
  return (read.json ??= representContent(Buffer.from(listingJSON(path, read.listing)), "application/json", options));
}

const maxReads = 50;
