// Answers with a file of a web root: as it is, or in the coding that the client would rather have.
//
//   app.js      asked for; its media type is that of all three
//   app.js.br   neighbours, each a representation of its own with
//   app.js.gz   its own entity tag, size and ranges

import type { Entry, FileEntry } from "../../fixtures/fcache-entry.ts";
import type { Fcache } from "../../fixtures/fcache.ts";
import { mediaTypeOf } from "../response/media-type.ts";
import { answerOtherMethod } from "../response/other-methods.ts";
import {
  type Representation,
  representFile,
  type RepresentationOptions,
  sendRepresentation,
} from "../response/representation.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { type Coding, rankCodings } from "../response/codings.ts";
import { memoizeField } from "../../http/field-memo.ts";
import type { WebRoot } from "./web-root.ts";

export interface FileResponsesOptions extends RepresentationOptions {
  /** What neighbours are looked for. Of those that a client likes alike, it gets the first. */
  readonly codings: readonly Coding[];
  readonly charset: string;
}

/** What is the same for all answers with one file. */
interface Known {
  readonly file: FileEntry;
  readonly type: string;
  /** Where there is nothing to choose from. */
  readonly plain: Representation;
  /** The same, where there is. */
  chosen: Representation | undefined;
  /** In the order of the codings. */
  readonly neighbourPaths: readonly string[];
}

export class FileResponses {
  readonly #fcache: Fcache;
  readonly #root: WebRoot;
  readonly #options: FileResponsesOptions;
  readonly #varyWithCoding: string;
  readonly #ranksFor: (field: string | undefined) => readonly (number | undefined)[];
  /** Of files that were found inside of the root. An entry never changes, so neither does what is known of it. */
  readonly #known = new WeakMap<FileEntry, Known>();
  /** Of neighbours that were found inside of it. */
  readonly #encoded = new WeakMap<FileEntry, Representation>();

  constructor(fcache: Fcache, root: WebRoot, options: FileResponsesOptions) {
    this.#fcache = fcache;
    this.#root = root;
    this.#options = options;
    const { codings, vary } = options;
    this.#varyWithCoding = vary === undefined ? "Accept-Encoding" : `${vary}, Accept-Encoding`;
    this.#ranksFor = memoizeField((field) => rankCodings(field, codings));
  }

  /**
   * To be called in the turn in which the file was got from the fcache. GET and HEAD get it, other methods 405. False
   * for a file outside of the root. Synchronous for a small file as long as it and its neighbours are fresh.
   */
  answer(req: Request, resp: Response, file: FileEntry): boolean | Promise<boolean> {
    const known = this.#known.get(file);
    if (known !== undefined) return this.#answerWith(req, resp, known);
    if (this.#root.contains(file.realPath)) return this.#answerWith(req, resp, this.#know(file));
    return this.#answerIfAdmitted(req, resp, file);
  }

  async #answerIfAdmitted(req: Request, resp: Response, file: FileEntry): Promise<boolean> {
    return holding([file], async () => {
      return (await this.#root.admits(file)) && this.#answerWith(req, resp, this.#know(file));
    });
  }

  #answerWith(req: Request, resp: Response, known: Known): true | Promise<true> {
    if (req.method !== "GET" && req.method !== "HEAD") {
      answerOtherMethod(req, resp, ["GET", "HEAD"]);
      return true;
    }
    if (known.neighbourPaths.length === 0 || req.mustBePlain(known.type))
      return sendRepresentation(req, resp, known.plain);
    const ranks = this.#ranksFor(req.header("accept-encoding"));
    const chosen = this.#choose(known, ranks, undefined);
    if (chosen === undefined) return this.#openAndAnswer(req, resp, known, ranks);
    return sendRepresentation(req, resp, chosen);
  }

  async #openAndAnswer(
    req: Request,
    resp: Response,
    known: Known,
    ranks: readonly (number | undefined)[],
  ): Promise<true> {
    const held = [known.file];
    const { sent } = await holding(held, async () => {
      const neighbours = await Promise.all(known.neighbourPaths.map((path) => this.#openNeighbour(path, held)));
      // In an object, so that it is not waited for: a slow client holds no more than the one that it is sent.
      return { sent: sendRepresentation(req, resp, this.#choose(known, ranks, neighbours) ?? known.plain) };
    });
    return sent;
  }

  async #openNeighbour(path: string, held: FileEntry[]): Promise<Entry> {
    const entry = await this.#fcache.open(path);
    if (entry.kind !== "file") return entry;
    entry.acquire();
    held.push(entry);
    await this.#root.admits(entry);
    return entry;
  }

  /** Among the neighbours as opened, or else as they are in the fcache: then `undefined` if one has to be looked at. */
  #choose(
    known: Known,
    ranks: readonly (number | undefined)[],
    opened: readonly Entry[] | undefined,
  ): Representation | undefined {
    let chosen: Representation | undefined;
    let chosenRank = Infinity;
    let isAlone = true;
    const { neighbourPaths } = known;
    for (let i = 0; i < neighbourPaths.length; i++) {
      const entry = opened === undefined ? this.#fcache.peek(neighbourPaths[i] ?? "") : opened[i];
      if (entry === undefined) return undefined;
      if (entry.kind !== "file" || !isUpToDate(entry, known.file)) continue;
      const representation = this.#encoded.get(entry) ?? this.#encode(entry, known, this.#options.codings[i]);
      if (representation === undefined) {
        if (opened === undefined && !this.#root.isOutside(entry)) return undefined;
        continue;
      }
      isAlone = false;
      const rank = ranks[i];
      if (rank === undefined || rank > chosenRank) continue;
      chosen = representation;
      chosenRank = rank;
    }
    if (chosen !== undefined) return chosen;
    return isAlone ? known.plain : (known.chosen ??= this.#represent(known.file, known.type, this.#varyWithCoding));
  }

  #know(file: FileEntry): Known {
    const { charset, codings, vary } = this.#options;
    const type = mediaTypeOf(file.path, charset) ?? "application/octet-stream";
    const plain = this.#represent(file, type, vary);
    const neighbourPaths = codings.map((coding) => file.path + extensions[coding]);
    const known = { file, type, plain, chosen: undefined, neighbourPaths };
    this.#known.set(file, known);
    return known;
  }

  /** `undefined` for one that is not inside of the root as it was last seen. */
  #encode(neighbour: FileEntry, { type }: Known, coding: Coding | undefined): Representation | undefined {
    if (!this.#root.contains(neighbour.realPath)) return undefined;
    const representation = this.#represent(neighbour, type, this.#varyWithCoding, coding);
    this.#encoded.set(neighbour, representation);
    return representation;
  }

  #represent(file: FileEntry, type: string, vary: string | undefined, coding?: Coding): Representation {
    return representFile(file, { ...this.#options, type, vary, coding });
  }
}

/** What the names of files in a coding end in. */
const extensions: Readonly<Record<Coding, string>> = { br: ".br", zstd: ".zst", gzip: ".gz" };

/** Runs `use` while the files stay open. `use` may add to them what it has acquired itself. */
async function holding<Result>(files: FileEntry[], use: () => Promise<Result>): Promise<Result> {
  for (const file of files) file.acquire();
  try {
    return await use();
  } finally {
    for (const file of files) file.release();
  }
}

/**
 * Whether a neighbour was not made of an earlier state of the file. Compressors give it the time of the file, as exact
 * as they can: some in whole seconds, some by way of a floating point number. Nothing, compressed, is something: an
 * empty one is being written.
 */
function isUpToDate(neighbour: FileEntry, file: FileEntry): boolean {
  if (neighbour.size === 0) return false;
  const { mtimeNs } = neighbour.identity;
  const changedNs = file.identity.mtimeNs;
  return mtimeNs >= changedNs || mtimeNs + roundingNs >= changedNs || mtimeNs === changedNs - (changedNs % secondNs);
}

const roundingNs = 2_000_000n;
const secondNs = 1_000_000_000n;
