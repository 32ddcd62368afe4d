// gunzip: decodes responses for clients that do not accept their coding, and requests for readers that cannot decode.

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
   * Whether request content is also decoded before a handlet or backend receives it. `content-encoding` and
   * `content-length` are removed from its head. Unknown codings are left unchanged.
   */
  requests: prop.bool({ default: false, reload: "live" }),
  /**
   * Maximum average number of decoded bytes for each encoded byte. Beyond it, a response is aborted, and a request gets
   * 413. Content that decodes to 64 KiB or less may have any ratio.
   */
  maxRatio: prop.integer({ default: 1000, min: 1, reload: "live" }),
};

/**
 * Decodes responses in gzip, deflate, Brotli or Zstandard for clients whose `Accept-Encoding` does not accept that
 * coding, or prefers unencoded content. An app or another server may then always send compressed responses. Raw deflate
 * in place of `deflate`, and garbage after gzip, are accepted as in browsers. Partial content (206), and content that
 * `cache-control: no-transform` protects, are left unchanged. Such responses get `vary: accept-encoding`, decoded or
 * not. In decoded responses, strong entity tags become weak ones.
 *
 * For handlets that read bytes, text, JSON or a form, `decodeContent` of their rule also decodes requests.
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

/** By coding: whether a client with this field accepts it. */
const taken = {
  gzip: memoizeField((field) => rankCodings(field, ["gzip"])[0] !== undefined),
  deflate: memoizeField((field) => rankCodings(field, ["deflate"])[0] !== undefined),
  br: memoizeField((field) => rankCodings(field, ["br"])[0] !== undefined),
  zstd: memoizeField((field) => rankCodings(field, ["zstd"])[0] !== undefined),
};
