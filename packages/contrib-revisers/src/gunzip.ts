// gunzip: decodes answers for clients that do not take their coding, and requests for those who would have to.

import {
  type ContentFilter,
  type Context,
  decodingFilter,
  defineReviser,
  memoizeField,
  parseContentCoding,
  prop,
  type PropsOf,
  rankCodings,
  type Request,
  type Response,
  type ReviserPart,
} from "@hemi/internal";
import { gunzipRank } from "./ranks.ts";
import { addVary, hasNoContent, isWholeAndFree, weakenNotModified, weakenValidators } from "./validators.ts";

const props = {
  /**
   * Is the content of requests decoded too, before a handlet or a backend gets it? Its head says so: without `content-encoding` and
   * `content-length`. Codings that are not known are left alone.
   */
  requests: prop.bool({ default: false, reload: "live" }),
  /**
   * Bytes that one coded byte may decode to, on average; an answer of which more comes is broken off, a request gets 413. What decodes to 64 KiB or less may
   * have any ratio.
   */
  maxRatio: prop.integer({ default: 1000, min: 1, reload: "live" }),
};

/**
 * Decodes answers in gzip, deflate, Brotli or Zstandard for clients whose `Accept-Encoding` does not take that coding, or likes the content as it is better: an
 * app or another server then may always answer compressed. Raw deflate where `deflate` was promised, and garbage behind gzip, are read as browsers do. Left as they are: parts of a content (206), and what `cache-control: no-transform`
 * forbids to change. Such answers get `vary: accept-encoding`, decoded or not; where they are decoded, strong entity tags become weak ones.
 *
 * For handlets that ask for bytes, text, JSON or a form, `decodeContent` of their rule does for requests, too.
 */
export const gunzip = defineReviser({
  sign: "gunzip",
  props,
  create: (context): ReviserPart => new Gunzip(context),
});

class Gunzip implements ReviserPart {
  readonly rank = gunzipRank;
  readonly #context: Context<PropsOf<typeof props>>;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
  }

  reviseRequest(req: Request): ContentFilter | undefined {
    const { requests, maxRatio } = this.#context.props;
    if (!requests || !req.hasContent) return undefined;
    const coding = parseContentCoding(req.content.coding);
    if (coding === undefined || coding === "identity") return undefined;
    req.content.coding = "";
    return decodingFilter(coding, { maxRatio, ratioProp: "maxRatio" });
  }

  reviseResponse(req: Request, resp: Response): ContentFilter | undefined {
    if (resp.status === 304 && resp.knownContent === undefined && weakenNotModified(req, resp)) {
      addVary(resp, "accept-encoding");
      return undefined;
    }
    const coding = parseContentCoding(resp.header("content-encoding"));
    if (coding === undefined || coding === "identity" || hasNoContent(resp) || !isWholeAndFree(resp)) return undefined;
    addVary(resp, "accept-encoding");
    if (taken[coding](req.header("accept-encoding"))) return undefined;
    resp.removeHeader("content-encoding");
    weakenValidators(resp);
    return decodingFilter(coding, { maxRatio: this.#context.props.maxRatio, whose: "response", ratioProp: "maxRatio" });
  }
}

/** By coding: does a client that sends this take it? */
const taken = {
  gzip: memoizeField((field) => rankCodings(field, ["gzip"])[0] !== undefined),
  deflate: memoizeField((field) => rankCodings(field, ["deflate"])[0] !== undefined),
  br: memoizeField((field) => rankCodings(field, ["br"])[0] !== undefined),
  zstd: memoizeField((field) => rankCodings(field, ["zstd"])[0] !== undefined),
};
