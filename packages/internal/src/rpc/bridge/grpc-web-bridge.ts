// grpcWebBridge: gRPC-Web before foreign gRPC servers. Whatever stands behind it, such as httpProxy, sees gRPC.
//
//   browser ── gRPC-Web ──> grpcWebBridge ──> httpProxy ── gRPC ──> http2Backend
//   browser <── trailers in the content ── grpcWebBridge <── httpProxy <── trailers ──┘

import { envelope } from "@hemi/common/rpc";
import type { ContentFilter, PushPiece } from "../../web/content/filter.ts";
import { defineReviser, type ReviserPart } from "../../web/kinds.ts";
import { LocalKey } from "../../web/request/locals.ts";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";
import { Base64Pieces } from "../doors/base64-pieces.ts";
import { trailersFlag } from "../doors/trailers-flag.ts";

/**
 * Lets browsers call gRPC servers: changes requests of gRPC-Web, binary ones and those in base64
 * (`application/grpc-web`, `application/grpc-web-text`), to gRPC, and the answers back. Put an `httpProxy` to an
 * `http2Backend` into the same rule. The messages pass as they are, so that no descriptors are needed. All other
 * requests pass unchanged.
 */
export const grpcWebBridge = defineReviser({
  sign: "grpcWebBridge",
  props: {},
  create: (): ReviserPart => new GrpcWebBridge(),
});

/** How the client of a request speaks gRPC-Web. */
interface WebForm {
  /** `application/grpc-web`, or the same with `-text`. */
  readonly type: string;
  readonly isText: boolean;
}

const webForm = new LocalKey<WebForm>("gRPC-Web");

class GrpcWebBridge implements ReviserPart {
  /** Farther from the wire than compression. */
  readonly rank = 12;

  reviseRequest(req: Request): ContentFilter | undefined {
    const [, type, text, suffix = ""] = webType.exec(req.header("content-type") ?? "") ?? [];
    if (type === undefined || req.method !== "POST") return undefined;
    const form = { type: type.toLowerCase(), isText: text !== undefined };
    req.locals.set(webForm, form);
    req.replaceHeader("content-type", [`application/grpc${suffix}`]);
    if (!form.isText) return undefined;
    req.recoded("");
    return new TextDecoding();
  }

  reviseResponse(req: Request, resp: Response): ContentFilter | undefined {
    const form = req.locals.get(webForm);
    const [, suffix] = grpcType.exec(resp.header("content-type") ?? "") ?? [];
    if (form === undefined || suffix === undefined) return undefined;
    resp.setHeader("content-type", form.type + suffix);
    // The status is in the head, and there is no content (Trailers-Only).
    if (resp.header("grpc-status") !== undefined) return undefined;
    resp.contentSize = undefined;
    return new TrailersInContent(resp, form.isText);
  }
}

const webType = /^(application\/grpc-web(-text)?)(\+(?:proto|json))?(?:\s*;.*)?$/is;
const grpcType = /^application\/grpc(\+[^;]*|)(?:\s*;.*)?$/is;

class TextDecoding implements ContentFilter {
  readonly #text = new Base64Pieces();

  push(piece: Uint8Array, next: PushPiece): void | Promise<void> {
    const bytes = this.#text.decode(piece);
    if (bytes !== undefined && bytes.length > 0) return next(bytes);
  }

  end(): void {
    this.#text.decode(undefined);
  }
}

class TrailersInContent implements ContentFilter {
  readonly #resp: Response;
  readonly #isText: boolean;

  constructor(resp: Response, isText: boolean) {
    this.#resp = resp;
    this.#isText = isText;
  }

  push(piece: Uint8Array, next: PushPiece): void | Promise<void> {
    return next(this.#encoded(piece));
  }

  end(next: PushPiece): void | Promise<void> {
    const list = this.#resp.takeTrailers();
    let lines = "";
    for (let at = 0; at + 1 < list.length; at += 2) lines += `${list[at] ?? ""}: ${list[at + 1] ?? ""}\r\n`;
    return next(this.#encoded(envelope(trailersFlag, Buffer.from(lines, "latin1"))));
  }

  /** Each piece has its own padding, so that a message does not wait for the next one. */
  #encoded(bytes: Uint8Array): Uint8Array {
    if (!this.#isText) return bytes;
    return Buffer.from(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64"));
  }
}
